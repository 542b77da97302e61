package fleet

import (
	"context"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
)

// +kubebuilder:rbac:groups=hooks.postern.dev,resources=webhookreceivers,verbs=get;list;watch
// +kubebuilder:rbac:groups=hooks.postern.dev,resources=webhookreceivers/status,verbs=patch

// children are lists of the kinds that are pruned. The claim is not among them:
// events outlive a change of the store.
func children() []client.ObjectList {
	return []client.ObjectList{
		&corev1.ServiceAccountList{}, &rbacv1.RoleList{}, &rbacv1.RoleBindingList{},
		&networkingv1.NetworkPolicyList{}, &corev1.ServiceList{}, &policyv1.PodDisruptionBudgetList{},
		&appsv1.DeploymentList{},
	}
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	byInstance := handler.EnqueueRequestsFromMapFunc(r.instance)
	return ctrl.NewControllerManagedBy(mgr).
		Named("webhookreceiver").
		For(&v1alpha1.WebhookReceiver{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		// Children that are changed by hand are put right; the Deployment also
		// tells how the pods do.
		Owns(&corev1.ServiceAccount{}).
		Owns(&rbacv1.Role{}).
		Owns(&rbacv1.RoleBinding{}).
		Owns(&networkingv1.NetworkPolicy{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&corev1.Service{}).
		Owns(&policyv1.PodDisruptionBudget{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&appsv1.Deployment{}).
		// The claim has no owner, and pods belong to a ReplicaSet: both say by
		// label whose they are.
		Watches(&corev1.PersistentVolumeClaim{}, byInstance).
		Watches(&corev1.Pod{}, byInstance).
		// The index tells the number of endpoints.
		Watches(&corev1.Secret{}, handler.Funcs{
			CreateFunc: func(ctx context.Context, _ event.CreateEvent, queue workQueue) { r.recount(ctx, queue) },
			UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue workQueue) {
				if counted(e.ObjectOld) != counted(e.ObjectNew) {
					r.recount(ctx, queue)
				}
			},
		}, builder.WithPredicates(predicate.NewPredicateFuncs(isIndex))).
		// No object tells of a store that is full.
		WatchesRawSource(source.TypedChannel(r.Pulse.changed, handler.TypedEnqueueRequestsFromMapFunc(
			func(_ context.Context, key types.NamespacedName) []reconcile.Request {
				return []reconcile.Request{{NamespacedName: key}}
			}))).
		Complete(r)
}

func (r *Reconciler) instance(_ context.Context, object client.Object) []reconcile.Request {
	labels := object.GetLabels()
	if labels[meta.LabelName] != meta.AppName || labels[meta.LabelComponent] != meta.ComponentReceiver {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{
		Namespace: object.GetNamespace(), Name: labels[meta.LabelInstance],
	}}}
}

// recountAfter is how long the number of endpoints may be out of date.
const recountAfter = 2 * time.Second

type workQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// recount brings every WebhookReceiver back to tell the new number of endpoints,
// once for all that come within a moment: a reconcile applies every object anew.
func (r *Reconciler) recount(ctx context.Context, queue workQueue) {
	for _, request := range r.all(ctx) {
		queue.AddAfter(request, recountAfter)
	}
}

func (r *Reconciler) all(ctx context.Context) []reconcile.Request {
	var receivers v1alpha1.WebhookReceiverList
	if err := r.Client.List(ctx, &receivers, client.InNamespace(r.Namespace)); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Listing WebhookReceivers failed")
		return nil
	}
	requests := make([]reconcile.Request, 0, len(receivers.Items))
	for i := range receivers.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&receivers.Items[i])})
	}
	return requests
}

func isIndex(object client.Object) bool { return object.GetName() == meta.RouteIndexName }
