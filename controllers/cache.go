package controllers

import (
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
)

// CacheOptions is what the manager's cache may hold: of Secrets only those that
// Postern wrote, and everything that Postern applies only in its own namespace.
func CacheOptions(options Options) cache.Options {
	options = options.withDefaults()
	system := map[string]cache.Config{options.Namespace: {}}
	own := cache.ByObject{Namespaces: system, Label: labels.SelectorFromSet(meta.ManagedBy())}
	tenants := cache.ByObject{Namespaces: watched(options.WatchNamespaces)}
	both := cache.ByObject{Namespaces: watched(withSystem(options))}
	return cache.Options{
		DefaultTransform: withoutHistory,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: own,
			// The installation's own is among them, which owns what is removed with it.
			&corev1.ServiceAccount{}:        {Namespaces: system},
			&corev1.PersistentVolumeClaim{}: own,
			&appsv1.Deployment{}:            own,
			&rbacv1.Role{}:                  own,
			&rbacv1.RoleBinding{}:           own,
			&networkingv1.NetworkPolicy{}:   own,
			&policyv1.PodDisruptionBudget{}: own,
			&corev1.Pod{}: {
				Namespaces: system, Label: labels.SelectorFromSet(meta.AllReceiversSelector()),
			},
			&corev1.Service{}:           both,
			&v1alpha1.WebhookEndpoint{}: tenants,
			&v1alpha1.WebhookReplay{}:   tenants,
			&v1alpha1.WebhookReceiver{}: both,
		},
	}
}

// newSecretCache watches the metadata of tenants' Secrets, so that a change is
// noticed at once while no value is held. It is a cache of its own because one
// cache has one filter per kind, and the manager's lets only routes through.
func newSecretCache(mgr ctrl.Manager, options Options) (cache.Cache, error) {
	secrets, err := cache.New(mgr.GetConfig(), cache.Options{
		HTTPClient:        mgr.GetHTTPClient(),
		Scheme:            mgr.GetScheme(),
		Mapper:            mgr.GetRESTMapper(),
		DefaultNamespaces: watched(options.WatchNamespaces),
		DefaultTransform:  nameAlone,
	})
	if err != nil {
		return nil, fmt.Errorf("cache of Secrets' metadata: %w", err)
	}
	if err := mgr.Add(secrets); err != nil {
		return nil, fmt.Errorf("cache of Secrets' metadata: %w", err)
	}
	return secrets, nil
}

// withoutHistory drops what the manager never reads of an object: the fields of
// each writer, and the copy of itself that `kubectl apply` leaves in it.
func withoutHistory(object any) (any, error) {
	if one, err := apimeta.Accessor(object); err == nil {
		one.SetManagedFields(nil)
		delete(one.GetAnnotations(), corev1.LastAppliedConfigAnnotation)
	}
	return object, nil
}

// nameAlone keeps of a tenant's Secret what a change is noticed by. An annotation
// may hold more: `kubectl apply` copies the values into one.
func nameAlone(object any) (any, error) {
	if one, ok := object.(*metav1.PartialObjectMetadata); ok {
		one.ObjectMeta = metav1.ObjectMeta{
			Namespace: one.Namespace, Name: one.Name, UID: one.UID, ResourceVersion: one.ResourceVersion,
		}
	}
	return object, nil
}

// watched is nil, which means all namespaces, when none is named.
func watched(namespaces []string) map[string]cache.Config {
	if len(namespaces) == 0 {
		return nil
	}
	configs := map[string]cache.Config{}
	for _, namespace := range namespaces {
		configs[namespace] = cache.Config{}
	}
	return configs
}

func withSystem(options Options) []string {
	if len(options.WatchNamespaces) == 0 || slices.Contains(options.WatchNamespaces, options.Namespace) {
		return options.WatchNamespaces
	}
	return append(slices.Clone(options.WatchNamespaces), options.Namespace)
}
