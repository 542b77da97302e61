package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/index"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/controllers/status"
	"github.com/postern-dev/postern/receiver/route"
)

// routes is the number of endpoints that receivers have a route of.
func (r *Reconciler) routes(ctx context.Context) (int32, error) {
	var secret corev1.Secret
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: meta.RouteIndexName}, &secret)
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("get route index: %w", err)
	}
	return counted(&secret), nil
}

// counted is the number of routes that the index tells. One that cannot be read
// is put right by the index controller, which brings us back.
func counted(object client.Object) int32 {
	secret, ok := object.(*corev1.Secret)
	if !ok {
		return 0
	}
	var content index.Content
	if err := json.Unmarshal(secret.Data[meta.RouteIndexKey], &content); err != nil {
		return 0
	}
	return int32(content.Count)
}

// trouble says why pods do not serve.
func (r *Reconciler) trouble(
	ctx context.Context, receiver *v1alpha1.WebhookReceiver, deployment *appsv1.Deployment,
) (*status.Finding, error) {
	seen := observed{deployment: deployment}
	var err error
	if seen.missing, err = r.missingSecrets(ctx, receiver); err != nil {
		return nil, err
	}
	if seen.claim, err = r.claim(ctx, receiver); err != nil {
		return nil, err
	}
	var pods corev1.PodList
	err = r.Client.List(ctx, &pods, client.InNamespace(receiver.Namespace),
		client.MatchingLabels(meta.ReceiverSelector(receiver.Name)))
	if err != nil {
		return nil, fmt.Errorf("list receiver pods: %w", err)
	}
	seen.pods = pods.Items
	if finding := diagnose(seen); finding != nil {
		return finding, nil
	}
	return r.askPods(ctx, pods.Items), nil
}

// askPods finds the first pod whose receiver runs and is not ready, and lets it
// say why: a store that is not durable, routes that are not complete.
func (r *Reconciler) askPods(ctx context.Context, pods []corev1.Pod) *status.Finding {
	for i := range pods {
		pod := &pods[i]
		if pod.Status.PodIP == "" || pod.DeletionTimestamp != nil || confirm.PodReady(pod) {
			continue
		}
		health, err := r.Ask(ctx, confirm.FromPod(pod, r.Port))
		if finding := unready(pod.Name, health, err); finding != nil {
			return finding
		}
	}
	return nil
}

// causes are the words of receivers that are reasons of conditions.
var causes = map[string]string{
	route.CauseRoutesIncomplete:           v1alpha1.ReasonRoutesIncomplete,
	route.CauseStoreUnavailable:           v1alpha1.ReasonStoreUnavailable,
	route.CauseStoreNotDurable:            v1alpha1.ReasonStoreNotDurable,
	route.CauseStoreOfAnotherInstallation: v1alpha1.ReasonStoreOfAnotherInstallation,
}

// unready tells what a pod says about why it is not ready; nil if it says that
// it is, which the cluster will know in a moment.
func unready(pod string, health route.Health, err error) *status.Finding {
	reason, message := v1alpha1.ReasonPodNotReady, strings.Join(health.Reasons, "; ")
	switch {
	case err != nil:
		message = err.Error()
	case health.Status == "ready":
		return nil
	case len(health.Causes) > 0:
		reason = cmp.Or(causes[health.Causes[0]], reason)
	}
	return &status.Finding{Reason: reason, Message: fmt.Sprintf("pod %s is not ready: %s", pod, message)}
}

// missingSecrets names the Secrets that pods need and that do not exist. For a
// Secret that is mounted no other object says so.
func (r *Reconciler) missingSecrets(ctx context.Context, receiver *v1alpha1.WebhookReceiver) ([]missing, error) {
	var needed []missing
	if receiver.Spec.Store.Type == v1alpha1.StoreTypeExternal {
		needed = append(needed, missing{"store.external.urlSecretRef", receiver.Spec.Store.External.URLSecretRef.Name})
	}
	if name := receiver.Spec.TLS.SecretName; name != "" {
		needed = append(needed, missing{"tls.secretName", name})
	}
	var absent []missing
	for _, need := range needed {
		secret := &metav1.PartialObjectMetadata{}
		secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
		err := r.Live.Get(ctx, client.ObjectKey{Namespace: receiver.Namespace, Name: need.secret}, secret)
		if apierrors.IsNotFound(err) {
			absent = append(absent, need)
		} else if err != nil {
			return nil, fmt.Errorf("get Secret %s: %w", need.secret, err)
		}
	}
	return absent, nil
}

func (r *Reconciler) claim(
	ctx context.Context, receiver *v1alpha1.WebhookReceiver,
) (*corev1.PersistentVolumeClaim, error) {
	claim := &corev1.PersistentVolumeClaim{}
	key := client.ObjectKey{Namespace: receiver.Namespace, Name: meta.StoreClaimName(receiver.Name)}
	if err := r.Client.Get(ctx, key, claim); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return claim, nil
}
