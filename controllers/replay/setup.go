package replay

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
)

// +kubebuilder:rbac:groups=hooks.postern.dev,resources=webhookreplays,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=hooks.postern.dev,resources=webhookreplays/status,verbs=patch

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.WebhookReplay{}, meta.IndexReplayEndpoint,
		func(object client.Object) []string {
			return []string{object.(*v1alpha1.WebhookReplay).Spec.EndpointRef.Name}
		})
	if err != nil {
		return fmt.Errorf("index WebhookReplays: %w", err)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("webhookreplay").
		For(&v1alpha1.WebhookReplay{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		// An endpoint that comes or goes is what a replay waits for, or its end.
		Watches(&v1alpha1.WebhookEndpoint{}, handler.EnqueueRequestsFromMapFunc(r.naming),
			builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		// A Secret that was changed or deleted by hand is put right.
		Watches(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(ofSecret),
			builder.WithPredicates(predicate.NewPredicateFuncs(isReplay))).
		Complete(r)
}

func (r *Reconciler) naming(ctx context.Context, endpoint client.Object) []ctrl.Request {
	var replays v1alpha1.WebhookReplayList
	err := r.Client.List(ctx, &replays, client.InNamespace(endpoint.GetNamespace()),
		client.MatchingFields{meta.IndexReplayEndpoint: endpoint.GetName()})
	if err != nil {
		log.FromContext(ctx).Error(err, "Listing WebhookReplays failed")
		return nil
	}
	var requests []ctrl.Request
	for i := range replays.Items {
		if !ended(&replays.Items[i]) {
			requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&replays.Items[i])})
		}
	}
	return requests
}

func isReplay(object client.Object) bool {
	return object.GetLabels()[meta.LabelReplay] == meta.LabelTrue
}

func ofSecret(_ context.Context, secret client.Object) []ctrl.Request {
	namespace, name, ok := strings.Cut(secret.GetAnnotations()[meta.AnnotationReplay], "/")
	if !ok {
		return nil
	}
	return []ctrl.Request{{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
}
