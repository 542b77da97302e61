package endpoint

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
)

// bury writes the tombstone of an endpoint, by which receivers purge its events.
// It has no owner: a store may outlive the installation, and its next one must
// know what was deleted.
func (r *Reconciler) bury(ctx context.Context, key types.NamespacedName, uid types.UID, deletedAt time.Time) error {
	tombstone := route.Tombstone{
		SchemaVersion: route.TombstoneVersion, UID: string(uid), Namespace: key.Namespace, Name: key.Name,
		DeletedAt: deletedAt.UTC().Truncate(time.Second),
	}
	document, err := tombstone.Marshal()
	if err != nil {
		return err
	}
	return r.Writer.Apply(ctx, corev1ac.Secret(meta.TombstoneName(uid), r.Namespace).
		WithType(meta.SecretTypeTombstone).
		WithLabels(meta.TombstoneLabels()).
		WithAnnotations(map[string]string{meta.AnnotationEndpoint: key.String()}).
		WithData(map[string][]byte{meta.TombstoneKey: document}))
}

// buryLeftover writes the tombstone of the endpoint that a left-over route is
// of, if it is certain that it was deleted: one that lost its finalizer by hand,
// or whose name another endpoint has got since.
func (r *Reconciler) buryLeftover(ctx context.Context, secret *corev1.Secret) error {
	uid := types.UID(strings.TrimPrefix(secret.Name, meta.RouteName("")))
	leftover, err := route.Unmarshal(secret.Data[meta.RouteKey])
	if err != nil || leftover.UID != string(uid) {
		return nil //nolint:nilerr // changed by hand: nothing is certain, and the events are kept
	}
	key := types.NamespacedName{Namespace: leftover.Namespace, Name: leftover.Name}
	if gone, err := r.deleted(ctx, key, uid); err != nil || !gone {
		return err
	}
	return r.bury(ctx, key, uid, r.Clock.Now())
}

// deleted says whether the endpoint of that UID is certainly gone: neither in
// the cache under any name, nor at the API server under its own.
func (r *Reconciler) deleted(ctx context.Context, key types.NamespacedName, uid types.UID) (bool, error) {
	if !r.watches(key.Namespace) {
		return false, nil
	}
	var endpoints v1alpha1.WebhookEndpointList
	err := r.Client.List(ctx, &endpoints, client.InNamespace(key.Namespace), client.UnsafeDisableDeepCopy)
	if err != nil {
		return false, fmt.Errorf("list WebhookEndpoints of %s: %w", key.Namespace, err)
	}
	for i := range endpoints.Items {
		if endpoints.Items[i].UID == uid {
			return false, nil
		}
	}
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.KindWebhookEndpoint))
	if err := r.Live.Get(ctx, key, live); apierrors.IsNotFound(err) {
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("get WebhookEndpoint %s: %w", key, err)
	}
	return live.UID != uid, nil
}
