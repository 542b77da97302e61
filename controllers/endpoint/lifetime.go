package endpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
)

// claim puts the finalizer on the endpoint: its route is in another namespace,
// where no owner reference reaches.
func (r *Reconciler) claim(ctx context.Context, s *scope) error {
	if controllerutil.ContainsFinalizer(s.endpoint, meta.FinalizerRoute) {
		return nil
	}
	return r.patchFinalizers(ctx, s.endpoint, func() { controllerutil.AddFinalizer(s.endpoint, meta.FinalizerRoute) })
}

// finalize writes the tombstone and removes the route, then lets the endpoint go.
func (r *Reconciler) finalize(ctx context.Context, s *scope) error {
	if !controllerutil.ContainsFinalizer(s.endpoint, meta.FinalizerRoute) {
		return nil
	}
	if err := r.bury(ctx, s.key(), s.endpoint.UID, s.endpoint.DeletionTimestamp.Time); err != nil {
		return err
	}
	if err := r.removeRoutes(ctx, s.key(), ""); err != nil {
		return err
	}
	r.places.release(s.key())
	r.Table.Gone(s.key())
	return r.patchFinalizers(ctx, s.endpoint, func() { controllerutil.RemoveFinalizer(s.endpoint, meta.FinalizerRoute) })
}

// patchFinalizers refuses to write over a list that somebody else has changed:
// a merge patch replaces the whole list.
func (r *Reconciler) patchFinalizers(ctx context.Context, endpoint *v1alpha1.WebhookEndpoint, change func()) error {
	before := endpoint.DeepCopy()
	change()
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, endpoint, patch); err != nil {
		return fmt.Errorf("patch finalizers of WebhookEndpoint %s: %w", client.ObjectKeyFromObject(endpoint), err)
	}
	r.Patcher.Wrote(endpoint)
	return nil
}

// forget removes what is left of an endpoint that does not exist, or whose
// namespace is no longer watched. Routes are found again by their annotation,
// so that those of an endpoint deleted by force go too.
func (r *Reconciler) forget(ctx context.Context, key types.NamespacedName) error {
	r.places.release(key)
	r.Table.Gone(key)
	leftovers, err := r.routesOf(ctx, key)
	if err != nil || len(leftovers) == 0 {
		return err
	}
	if r.watches(key.Namespace) {
		// The cache may not have the endpoint yet that another manager just served.
		exists, err := r.exists(ctx, key)
		if err != nil || exists {
			return err
		}
	}
	return r.removeRoutes(ctx, key, "")
}

func (r *Reconciler) exists(ctx context.Context, key types.NamespacedName) (bool, error) {
	endpoint := &metav1.PartialObjectMetadata{}
	endpoint.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.KindWebhookEndpoint))
	if err := r.Live.Get(ctx, key, endpoint); apierrors.IsNotFound(err) || apierrors.IsInvalid(err) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("get WebhookEndpoint %s: %w", key, err)
	}
	return true, nil
}

// removeRoutes deletes the routes of an endpoint, but for the one of that name.
// Those of endpoints that are certainly deleted get their tombstone first.
func (r *Reconciler) removeRoutes(ctx context.Context, key types.NamespacedName, but string) error {
	secrets, err := r.routesOf(ctx, key)
	if err != nil {
		return err
	}
	var errs []error
	for i := range secrets {
		if secrets[i].Name == but {
			continue
		}
		if err := r.buryLeftover(ctx, &secrets[i]); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, r.Writer.Delete(ctx, &secrets[i]))
	}
	return errors.Join(errs...)
}

func (r *Reconciler) routesOf(ctx context.Context, key types.NamespacedName) ([]corev1.Secret, error) {
	var secrets corev1.SecretList
	err := r.Client.List(ctx, &secrets, client.InNamespace(r.Namespace),
		client.MatchingFields{meta.IndexRouteEndpoint: key.String()})
	if err != nil {
		return nil, fmt.Errorf("list routes of %s: %w", key, err)
	}
	return secrets.Items, nil
}

func (r *Reconciler) watches(namespace string) bool {
	return len(r.WatchNamespaces) == 0 || slices.Contains(r.WatchNamespaces, namespace)
}
