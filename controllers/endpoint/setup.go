package endpoint

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// +kubebuilder:rbac:groups=hooks.postern.dev,resources=webhookendpoints,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=hooks.postern.dev,resources=webhookendpoints/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets;services,verbs=get;list;watch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=referencegrants,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// concurrency is how many endpoints are reconciled at once; most of the time of
// each is spent waiting for answers.
const concurrency = 16

// SetupWithManager registers the controller. The cache of Secrets' metadata is
// apart from the manager's own, which holds the values of nothing but routes.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, secrets cache.Cache) error {
	if err := addIndexes(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	enqueue := func(options func(client.Object) []client.ListOption) handler.EventHandler {
		return handler.EnqueueRequestsFromMapFunc(r.listing(options))
	}
	built, err := ctrl.NewControllerManagedBy(mgr).
		Named("webhookendpoint").
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency}).
		For(&v1alpha1.WebhookEndpoint{}, changed).
		// Who comes, goes or moves frees or takes a path.
		Watches(&v1alpha1.WebhookEndpoint{}, enqueue(atPathOf), changed).
		Watches(&corev1.Service{}, enqueue(namingService)).
		Watches(&v1alpha1.WebhookEndpoint{}, handler.EnqueueRequestsFromMapFunc(r.waitingForPlace),
			builder.WithPredicates(freesPlace())).
		// The external URL is part of every endpoint's.
		Watches(&v1alpha1.WebhookReceiver{}, enqueue(everyEndpoint), changed).
		// Routes that are changed or deleted by hand are put right, orphans removed.
		Watches(&corev1.Secret{}, later(noticed, r.ofRouteSecret),
			builder.WithPredicates(predicate.NewPredicateFuncs(isRouteObject))).
		// A receiver that gets ready has to confirm every route.
		Watches(&corev1.Pod{}, enqueue(everyEndpoint), builder.WithPredicates(readiness())).
		// A provider's list was fetched.
		WatchesRawSource(source.TypedChannel(r.RangesChanged, handler.TypedEnqueueRequestsFromMapFunc(
			func(ctx context.Context, provider string) []ctrl.Request {
				return r.listing(allowingProvider(provider))(ctx, nil)
			}))).
		WatchesRawSource(source.Kind(secrets, secretMetadata(),
			handler.TypedEnqueueRequestsFromMapFunc(
				func(ctx context.Context, secret *metav1.PartialObjectMetadata) []ctrl.Request {
					return r.listing(namingSecret)(ctx, secret)
				}))).
		Build(r)
	if err != nil {
		return fmt.Errorf("webhookendpoint controller: %w", err)
	}
	r.grants = &grants{
		reader: mgr.GetClient(),
		mapper: mgr.GetRESTMapper(),
		watch: func() error {
			return built.Watch(source.Kind[client.Object](mgr.GetCache(), &gatewayv1beta1.ReferenceGrant{},
				enqueue(needingGrant)))
		},
	}
	_, err = r.grants.ensure()
	return err
}

func secretMetadata() *metav1.PartialObjectMetadata {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	return secret
}
