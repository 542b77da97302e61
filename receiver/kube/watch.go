package kube

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"

	corev1 "k8s.io/api/core/v1"
)

// watch makes an informer of the Secrets with one label, which marks changes.
func (s *Source) watch(selector string, changed chan struct{}) (cache.SharedIndexInformer, error) {
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.LabelSelector = selector
			return s.secrets.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.LabelSelector = selector
			return s.secrets.Watch(ctx, options)
		},
	}
	informer := cache.NewSharedIndexInformer(source, &corev1.Secret{}, 0, cache.Indexers{})
	if err := informer.SetTransform(strip); err != nil {
		return nil, fmt.Errorf("route source: %w", err)
	}
	if err := informer.SetWatchErrorHandlerWithContext(s.watchFailed); err != nil {
		return nil, fmt.Errorf("route source: %w", err)
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { mark(changed) },
		UpdateFunc: func(any, any) { mark(changed) },
		DeleteFunc: func(any) { mark(changed) },
	})
	if err != nil {
		return nil, fmt.Errorf("route source: %w", err)
	}
	return informer, nil
}

// strip drops what is not read, which is most of the memory of ten thousand Secrets.
func strip(object any) (any, error) {
	if accessor, err := meta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
		accessor.SetOwnerReferences(nil)
		accessor.SetLabels(nil)
		accessor.SetAnnotations(nil)
	}
	return object, nil
}

func mark(changed chan<- struct{}) {
	select {
	case changed <- struct{}{}:
	default:
	}
}

func (s *Source) watchFailed(_ context.Context, _ *cache.Reflector, err error) {
	s.troubled.Store(time.Now().UnixNano())
	s.log.Warn("Watch of Secrets failed and is retried", "namespace", s.options.Namespace, "error", err)
}
