package endpoint

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/meta"
)

// listing enqueues the endpoints that the options of an object select.
func (r *Reconciler) listing(options func(client.Object) []client.ListOption) handler.MapFunc {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		var endpoints v1alpha1.WebhookEndpointList
		if err := r.Client.List(ctx, &endpoints, options(object)...); err != nil {
			log.FromContext(ctx).Error(err, "Listing WebhookEndpoints failed")
			return nil
		}
		requests := make([]reconcile.Request, 0, len(endpoints.Items))
		for i := range endpoints.Items {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&endpoints.Items[i])})
		}
		return requests
	}
}

func everyEndpoint(client.Object) []client.ListOption { return nil }

func namingSecret(secret client.Object) []client.ListOption {
	return []client.ListOption{
		client.InNamespace(secret.GetNamespace()), client.MatchingFields{meta.IndexSecret: secret.GetName()},
	}
}

func namingService(service client.Object) []client.ListOption {
	return []client.ListOption{client.MatchingFields{meta.IndexService: client.ObjectKeyFromObject(service).String()}}
}

func needingGrant(grant client.Object) []client.ListOption {
	return []client.ListOption{client.MatchingFields{meta.IndexGrantee: grant.GetNamespace()}}
}

func allowingProvider(provider string) func(client.Object) []client.ListOption {
	return func(client.Object) []client.ListOption {
		return []client.ListOption{client.MatchingFields{meta.IndexRangeProvider: provider}}
	}
}

// atPathOf brings back the rivals of an endpoint that came, went or moved: the
// handler sees both the old and the new object of an update.
func atPathOf(object client.Object) []client.ListOption {
	endpoint, ok := object.(*v1alpha1.WebhookEndpoint)
	if !ok {
		return nil
	}
	return []client.ListOption{
		client.InNamespace(endpoint.Namespace), client.MatchingFields{meta.IndexPath: compile.PathOf(endpoint)},
	}
}

// ofRouteSecret brings back the endpoint of a route, and those whose earlier
// routes are on the same path.
func (r *Reconciler) ofRouteSecret(ctx context.Context, object client.Object) []reconcile.Request {
	requests := map[types.NamespacedName]bool{routeOwner(object): true}
	if path := object.GetAnnotations()[meta.AnnotationPath]; path != "" {
		var rivals corev1.SecretList
		err := r.Client.List(ctx, &rivals, client.InNamespace(r.Namespace), client.MatchingFields{meta.IndexRoutePath: path})
		if err != nil {
			log.FromContext(ctx).Error(err, "Listing routes failed", "path", path)
		}
		for i := range rivals.Items {
			requests[routeOwner(&rivals.Items[i])] = true
		}
	}
	list := make([]reconcile.Request, 0, len(requests))
	for key := range requests {
		list = append(list, reconcile.Request{NamespacedName: key})
	}
	return list
}

// later enqueues after a while: most changes of route Secrets are our own, and
// whoever wrote one comes back by then anyway.
func later(wait time.Duration, requests handler.MapFunc) handler.EventHandler {
	enqueue := func(ctx context.Context, object client.Object, queue workQueue) {
		for _, request := range requests(ctx, object) {
			queue.AddAfter(request, wait)
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, queue workQueue) {
			ordered, ok := queue.(priorityqueue.PriorityQueue[reconcile.Request])
			if !ok || !e.IsInInitialList {
				enqueue(ctx, e.Object, queue)
				return
			}
			// What was there before this process waits for what changes now.
			low := handler.LowPriority
			options := priorityqueue.AddOpts{After: wait, Priority: &low}
			ordered.AddWithOpts(options, requests(ctx, e.Object)...)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, queue workQueue) {
			enqueue(ctx, e.ObjectOld, queue)
			enqueue(ctx, e.ObjectNew, queue)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, queue workQueue) { enqueue(ctx, e.Object, queue) },
	}
}

type workQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// isRouteObject filters events of the Secret cache.
func isRouteObject(object client.Object) bool {
	secret, ok := object.(*corev1.Secret)
	return ok && isRoute(secret)
}

// readiness passes the changes of pods that change who is asked.
func readiness() predicate.Predicate {
	ready := func(object client.Object) bool {
		pod, ok := object.(*corev1.Pod)
		return ok && confirm.PodReady(pod)
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return ready(e.Object) },
		DeleteFunc: func(e event.DeleteEvent) bool { return ready(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, _ := e.ObjectOld.(*corev1.Pod)
			after, _ := e.ObjectNew.(*corev1.Pod)
			return before != nil && after != nil &&
				(ready(before) != ready(after) || before.Status.PodIP != after.Status.PodIP)
		},
		GenericFunc: func(event.GenericEvent) bool { return false },
	}
}
