package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/tools/cache"
	crcache "sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// writers is how many requests create objects at once, about what several
// pipelines of a platform do.
const writers = 16

func namespaceName(i int) string { return fmt.Sprintf("team-%03d", i) }

// place is namespace and name of an endpoint by its number.
func (w *world) place(i int) (namespace, name string) {
	return namespaceName(i % w.namespaces), fmt.Sprintf("hook-%04d", i/w.namespaces)
}

func (w *world) endpoint(i int) *v1alpha1.WebhookEndpoint {
	namespace, name := w.place(i)
	return &v1alpha1.WebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.WebhookEndpointSpec{
			Source:    v1alpha1.Source{Provider: "github"},
			SecretRef: v1alpha1.SecretKeysReference{Name: name},
			Targets: []v1alpha1.Target{{
				Service: v1alpha1.ServiceReference{Name: "builder", Port: intstr.FromInt32(80)},
			}},
		},
	}
}

func firstKey(i int) string { return fmt.Sprintf("key of endpoint %d", i) }

// applyAll creates everything that tenants own.
func (w *world) applyAll(ctx context.Context) error {
	err := each(ctx, w.namespaces, func(ctx context.Context, i int) error {
		name := namespaceName(i)
		return w.create(ctx,
			&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}},
			&corev1.Service{
				ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: "builder"},
				// The API server of the tests has few cluster addresses to give away.
				Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Ports: []corev1.ServicePort{{Port: 80}}},
			})
	})
	if err != nil {
		return err
	}
	return each(ctx, w.endpoints, func(ctx context.Context, i int) error {
		endpoint := w.endpoint(i)
		return w.create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: endpoint.Namespace, Name: endpoint.Name},
			StringData: map[string]string{"secret": firstKey(i)},
		}, endpoint)
	})
}

func (w *world) create(ctx context.Context, objects ...client.Object) error {
	for _, object := range objects {
		if err := annotate(object); err != nil {
			return err
		}
		if err := w.admin.Create(ctx, object); err != nil {
			return fmt.Errorf("create %T %s: %w", object, client.ObjectKeyFromObject(object), err)
		}
	}
	return nil
}

// annotate makes an object as large as `kubectl apply` makes it, which keeps a
// copy of it in an annotation.
func annotate(object client.Object) error {
	text, err := json.Marshal(object)
	object.SetAnnotations(map[string]string{corev1.LastAppliedConfigAnnotation: string(text)})
	return err
}

// each does something for every number below n, several at once.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	numbers := make(chan int)
	var group sync.WaitGroup
	errs := make([]error, writers)
	for i := range writers {
		group.Go(func() {
			for number := range numbers {
				if errs[i] = do(ctx, number); errs[i] != nil {
					cancel()
					return
				}
			}
		})
	}
	for number := range n {
		select {
		case numbers <- number:
		case <-ctx.Done():
		}
	}
	close(numbers)
	group.Wait()
	return errors.Join(errs...)
}

// readiness follows the endpoints' status through one watch.
type readiness struct {
	mu sync.Mutex
	// generations are those for which endpoints are Ready, by namespace/name.
	generations map[string]int64
	changed     chan struct{}
}

// follow begins to follow; call stop at the end.
func (w *world) follow(ctx context.Context) (r *readiness, stop func(), err error) {
	r = &readiness{generations: map[string]int64{}, changed: make(chan struct{}, 1)}
	all, err := crcache.New(w.config, crcache.Options{Scheme: w.admin.Scheme()})
	if err != nil {
		return nil, nil, err
	}
	informer, err := all.GetInformer(ctx, &v1alpha1.WebhookEndpoint{}, crcache.BlockUntilSynced(false))
	if err != nil {
		return nil, nil, err
	}
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    r.saw,
		UpdateFunc: func(_, object any) { r.saw(object) },
	})
	if err != nil {
		return nil, nil, err
	}
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		_ = all.Start(ctx)
	}()
	stop = func() {
		cancel()
		<-ended
	}
	if !all.WaitForCacheSync(ctx) {
		stop()
		return nil, nil, errors.New("the watch of WebhookEndpoints does not begin")
	}
	return r, stop, nil
}

func (r *readiness) saw(object any) {
	endpoint, ok := object.(*v1alpha1.WebhookEndpoint)
	if !ok {
		return
	}
	ready := apimeta.FindStatusCondition(endpoint.Status.Conditions, v1alpha1.ConditionReady)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.generations, endpoint.Namespace+"/"+endpoint.Name)
	if ready != nil && ready.Status == metav1.ConditionTrue && ready.ObservedGeneration == endpoint.Generation {
		r.generations[endpoint.Namespace+"/"+endpoint.Name] = endpoint.Generation
	}
	select {
	case r.changed <- struct{}{}:
	default: // whoever waits looks at everything
	}
}

// await waits until something is so.
func (r *readiness) await(ctx context.Context, holds func(generations map[string]int64) bool) error {
	for {
		r.mu.Lock()
		done := holds(r.generations)
		r.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-r.changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
