package endpoint

import (
	"context"
	"fmt"
	"sync"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
)

// places remembers the endpoints that were granted one of their namespace's
// places until their status tells it: several are reconciled at once, and the
// last place must not be granted twice.
type places struct {
	mu      sync.Mutex
	granted map[types.NamespacedName]bool
}

// grant decides and remembers in one step. judge gets who holds a place.
func (p *places) grant(
	endpoint *v1alpha1.WebhookEndpoint, judge func(holds func(*v1alpha1.WebhookEndpoint) bool) bool,
) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := client.ObjectKeyFromObject(endpoint)
	if p.granted[key] {
		return true // its status does not tell it yet
	}
	granted := judge(func(other *v1alpha1.WebhookEndpoint) bool {
		return other.Status.RouteHash != "" || p.granted[client.ObjectKeyFromObject(other)]
	})
	if granted {
		if p.granted == nil {
			p.granted = map[types.NamespacedName]bool{}
		}
		p.granted[key] = true
	}
	return granted
}

func (p *places) release(key types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.granted, key)
}

// gatherPlace asks for one of the namespace's places where they are limited.
func (r *Reconciler) gatherPlace(ctx context.Context, s *scope) error {
	if s.maxEndpoints == 0 || s.endpoint.Status.RouteHash != "" {
		return nil
	}
	var list v1alpha1.WebhookEndpointList
	// Nothing is changed, and a copy of all for each would be quadratic.
	err := r.Client.List(ctx, &list, client.InNamespace(s.endpoint.Namespace), client.UnsafeDisableDeepCopy)
	if err != nil {
		return fmt.Errorf("list WebhookEndpoints of %s: %w", s.endpoint.Namespace, err)
	}
	others := make([]*v1alpha1.WebhookEndpoint, len(list.Items))
	for i := range list.Items {
		others[i] = &list.Items[i]
	}
	if !r.places.grant(s.endpoint, func(holds func(*v1alpha1.WebhookEndpoint) bool) bool {
		return compile.Ahead(s.endpoint, others, holds) < s.maxEndpoints
	}) {
		s.input.MaxEndpoints = s.maxEndpoints
	}
	return nil
}

// waitingForPlace brings back the endpoints that found no place in the
// namespace where one became free.
func (r *Reconciler) waitingForPlace(ctx context.Context, object client.Object) []reconcile.Request {
	var list v1alpha1.WebhookEndpointList
	err := r.Client.List(ctx, &list, client.InNamespace(object.GetNamespace()), client.UnsafeDisableDeepCopy)
	if err != nil {
		log.FromContext(ctx).Error(err, "Listing WebhookEndpoints failed")
		return nil
	}
	var requests []reconcile.Request
	for i := range list.Items {
		accepted := apimeta.FindStatusCondition(list.Items[i].Status.Conditions, v1alpha1.ConditionAccepted)
		if accepted != nil && accepted.Reason == v1alpha1.ReasonNamespaceLimitExceeded {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&list.Items[i])})
		}
	}
	return requests
}

// freesPlace passes the events after which a namespace has one place more.
func freesPlace() predicate.Predicate {
	served := func(object client.Object) bool {
		endpoint, ok := object.(*v1alpha1.WebhookEndpoint)
		return ok && endpoint.Status.RouteHash != ""
	}
	return predicate.Funcs{
		CreateFunc:  func(event.CreateEvent) bool { return false },
		DeleteFunc:  func(event.DeleteEvent) bool { return true },
		UpdateFunc:  func(e event.UpdateEvent) bool { return served(e.ObjectOld) && !served(e.ObjectNew) },
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}
