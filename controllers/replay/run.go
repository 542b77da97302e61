package replay

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
)

// run asks for the replay and finds out how far it got.
func (r *Reconciler) run(ctx context.Context, replay *v1alpha1.WebhookReplay) (outcome, error) {
	existing, err := r.secret(ctx, replay)
	if err != nil {
		return outcome{}, err
	}
	earlier := asked(existing, replay)
	var endpoint v1alpha1.WebhookEndpoint
	key := types.NamespacedName{Namespace: replay.Namespace, Name: replay.Spec.EndpointRef.Name}
	if err := r.Client.Get(ctx, key, &endpoint); client.IgnoreNotFound(err) != nil {
		return outcome{}, fmt.Errorf("get WebhookEndpoint %s: %w", key, err)
	}
	exists := endpoint.UID != "" && endpoint.DeletionTimestamp.IsZero()
	switch {
	case earlier != nil && (!exists || earlier.EndpointUID != string(endpoint.UID)):
		return replaced(key), nil
	case !exists:
		return noEndpoint(key), nil
	case endpoint.Status.RouteHash == "":
		return notProgrammed(key), nil
	}
	if err := r.request(ctx, replay, endpoint.UID, existing); err != nil {
		return outcome{}, err
	}
	return r.observe(ctx, replay)
}

// secret returns the Secret that asks receivers for the replay, nil if there is none.
func (r *Reconciler) secret(ctx context.Context, replay *v1alpha1.WebhookReplay) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	key := types.NamespacedName{Namespace: r.Namespace, Name: meta.ReplayName(replay.UID)}
	if err := r.Client.Get(ctx, key, secret); apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // absence is an answer
	} else if err != nil {
		return nil, fmt.Errorf("get Secret %s: %w", key, err)
	}
	return secret, nil
}

// asked returns what receivers were asked for already, nil for nothing. What was
// changed by hand is nothing: it is written again.
func asked(secret *corev1.Secret, replay *v1alpha1.WebhookReplay) *route.Replay {
	if secret == nil {
		return nil
	}
	document, err := route.UnmarshalReplay(secret.Data[meta.ReplayKey])
	if err != nil || document.UID != string(replay.UID) {
		return nil
	}
	return document
}

// request writes the Secret, unless it stands there already.
func (r *Reconciler) request(
	ctx context.Context, replay *v1alpha1.WebhookReplay, endpointUID types.UID, existing *corev1.Secret,
) error {
	document, err := compile(replay, endpointUID).Marshal()
	if err != nil {
		return err
	}
	if existing != nil && bytes.Equal(existing.Data[meta.ReplayKey], document) {
		return nil
	}
	return r.Writer.Apply(ctx, corev1ac.Secret(meta.ReplayName(replay.UID), r.Namespace).
		WithType(meta.SecretTypeReplay).
		WithLabels(meta.ReplayLabels()).
		WithAnnotations(map[string]string{meta.AnnotationReplay: client.ObjectKeyFromObject(replay).String()}).
		WithData(map[string][]byte{meta.ReplayKey: document}))
}

// withdraw deletes the Secret.
func (r *Reconciler) withdraw(ctx context.Context, replay *v1alpha1.WebhookReplay) error {
	secret, err := r.secret(ctx, replay)
	if err != nil || secret == nil {
		return err
	}
	return r.Writer.Delete(ctx, secret)
}

// forget withdraws the Secrets of a replay that was deleted by force.
func (r *Reconciler) forget(ctx context.Context, key types.NamespacedName) error {
	var secrets corev1.SecretList
	err := r.Client.List(ctx, &secrets, client.InNamespace(r.Namespace), client.MatchingLabels(meta.ReplayLabels()))
	if err != nil {
		return fmt.Errorf("list replays in %s: %w", r.Namespace, err)
	}
	var errs []error
	for i := range secrets.Items {
		if secrets.Items[i].Annotations[meta.AnnotationReplay] == key.String() {
			errs = append(errs, r.Writer.Delete(ctx, &secrets.Items[i]))
		}
	}
	return errors.Join(errs...)
}

// observe asks every receiver. One of them runs the replay; what it says is the
// furthest.
func (r *Reconciler) observe(ctx context.Context, replay *v1alpha1.WebhookReplay) (outcome, error) {
	receivers, err := r.Receivers(ctx)
	if err != nil {
		return outcome{}, err
	}
	var furthest *route.ReplayProgress
	var errs []error
	for _, receiver := range receivers {
		known, err := r.Ask(ctx, receiver)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", receiver.Name, err))
		}
		for i := range known {
			if known[i].UID == string(replay.UID) && further(&known[i], furthest) {
				furthest = &known[i]
			}
		}
	}
	return observed(replay, furthest, errors.Join(errs...)), nil
}

func further(a, b *route.ReplayProgress) bool {
	return b == nil || b.FinishedAt.IsZero() && (!a.FinishedAt.IsZero() || a.Matched > b.Matched ||
		b.StartedAt.IsZero())
}

// compile makes the document that receivers read.
func compile(replay *v1alpha1.WebhookReplay, endpointUID types.UID) *route.Replay {
	selector := &replay.Spec.Selector
	return &route.Replay{
		SchemaVersion:   route.ReplayVersion,
		UID:             string(replay.UID),
		EndpointUID:     string(endpointUID),
		Delivered:       selector.Status == v1alpha1.ReplayDelivered,
		ReceivedAfter:   selector.ReceivedAfter.Time,
		ReceivedBefore:  selector.ReceivedBefore.Time,
		EventTypes:      texts(selector.EventTypes),
		EventIDs:        texts(selector.EventIDs),
		Targets:         texts(selector.Targets),
		Limit:           replay.Spec.Limit,
		EventsPerSecond: replay.Spec.EventsPerSecond,
		DryRun:          replay.Spec.DryRun,
	}
}

func texts[T ~string](values []T) []string {
	var all []string
	for _, value := range values {
		all = append(all, string(value))
	}
	return all
}
