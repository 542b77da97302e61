package index

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/meta"
)

// gather is how long changes are collected before the index is written: a
// hundred endpoints applied at once make a few writes, not a hundred.
const gather = 50 * time.Millisecond

// Reconciler writes the index Secret.
type Reconciler struct {
	// Client reads from the manager's cache.
	Client client.Client
	// Live asks the API server, for the system namespace, which no cache holds.
	Live client.Reader
	// Writer applies the Secret.
	Writer *apply.Writer
	// Owner is what the Secret is removed with.
	Owner apply.Owner
	// Table is what the endpoint controller decided.
	Table *Table
	// Namespace is the system namespace.
	Namespace string

	complete bool
	// installation is the id of the installation once it is known.
	installation string
}

// Reconcile writes the index if it differs. The first one since the start
// waits until every endpoint was decided: an index that counted half of the
// routes would declare half a table complete.
func (r *Reconciler) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	if !r.complete {
		waiting, err := r.waitingFor(ctx)
		if err != nil {
			return ctrl.Result{}, err
		}
		if waiting > 0 {
			// The decision that ends the wait comes back here through the table.
			// One that waits for an endpoint created meanwhile comes back by time.
			log.FromContext(ctx).V(1).Info("Route index waits for endpoints", "endpoints", waiting)
			return ctrl.Result{RequeueAfter: time.Second}, nil
		}
		r.complete = true
	}
	return ctrl.Result{}, r.write(ctx)
}

func (r *Reconciler) waitingFor(ctx context.Context) (int, error) {
	var endpoints v1alpha1.WebhookEndpointList
	if err := r.Client.List(ctx, &endpoints); err != nil {
		return 0, fmt.Errorf("list WebhookEndpoints: %w", err)
	}
	waiting := 0
	for i := range endpoints.Items {
		if !r.Table.Decided(client.ObjectKeyFromObject(&endpoints.Items[i])) {
			waiting++
		}
	}
	return waiting, nil
}

func (r *Reconciler) write(ctx context.Context) error {
	content := r.Table.Content()
	var err error
	if content.Installation, err = r.identify(ctx); err != nil {
		return err
	}
	data, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("encode route index: %w", err)
	}
	var existing corev1.Secret
	err = r.Client.Get(ctx, types.NamespacedName{Namespace: r.Namespace, Name: meta.RouteIndexName}, &existing)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("get route index: %w", err)
	}
	if !apierrors.IsNotFound(err) && string(existing.Data[meta.RouteIndexKey]) == string(data) {
		return nil
	}
	owners, err := r.Owner.References(ctx)
	if err != nil {
		return err
	}
	return r.Writer.Apply(ctx, corev1ac.Secret(meta.RouteIndexName, r.Namespace).
		WithLabels(meta.RouteIndexLabels()).
		WithOwnerReferences(owners...).
		WithType(meta.SecretTypeRouteIndex).
		WithData(map[string][]byte{meta.RouteIndexKey: data}))
}

// identify returns the UID of the system namespace.
func (r *Reconciler) identify(ctx context.Context) (string, error) {
	if r.installation == "" {
		var namespace corev1.Namespace
		if err := r.Live.Get(ctx, types.NamespacedName{Name: r.Namespace}, &namespace); err != nil {
			return "", fmt.Errorf("get the system namespace, whose uid identifies the installation: %w", err)
		}
		r.installation = string(namespace.UID)
	}
	return r.installation, nil
}

// SetupWithManager registers the controller.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: r.Namespace, Name: meta.RouteIndexName}}
	debounced := handler.Funcs{
		GenericFunc: func(
			_ context.Context, _ event.GenericEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request],
		) {
			queue.AddAfter(request, gather)
		},
	}
	// The Secret itself is watched so that a change by hand is put right.
	ownName := predicate.NewPredicateFuncs(func(object client.Object) bool {
		return object.GetName() == meta.RouteIndexName && object.GetNamespace() == r.Namespace
	})
	r.Table.mu.Lock()
	r.Table.notify() // no endpoint at all is a complete table too
	r.Table.mu.Unlock()
	return ctrl.NewControllerManagedBy(mgr).
		Named("route-index").
		For(&corev1.Secret{}, builder.WithPredicates(ownName)).
		WatchesRawSource(source.Channel(r.Table.changed, debounced)).
		Complete(r)
}
