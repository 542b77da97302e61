package endpoint

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/controllers/meta"
)

// addIndexes registers the reverse look-ups that watches need.
func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	indexes := []struct {
		object client.Object
		name   string
		keys   func(client.Object) []string
	}{
		{&v1alpha1.WebhookEndpoint{}, meta.IndexSecret, ofEndpoint(secretNames)},
		{&v1alpha1.WebhookEndpoint{}, meta.IndexService, ofEndpoint(serviceKeys)},
		{&v1alpha1.WebhookEndpoint{}, meta.IndexGrantee, ofEndpoint(foreignNamespaces)},
		{&v1alpha1.WebhookEndpoint{}, meta.IndexPath, ofEndpoint(paths)},
		{&v1alpha1.WebhookEndpoint{}, meta.IndexRangeProvider, ofEndpoint(compile.RangeProviders)},
		{&corev1.Secret{}, meta.IndexRouteEndpoint, ofRoute(func(s *corev1.Secret) string { return routeOwner(s).String() })},
		{&corev1.Secret{}, meta.IndexRoutePath, ofRoute(func(s *corev1.Secret) string {
			return s.Annotations[meta.AnnotationPath]
		})},
	}
	for _, index := range indexes {
		if err := indexer.IndexField(ctx, index.object, index.name, index.keys); err != nil {
			return fmt.Errorf("index %T by %s: %w", index.object, index.name, err)
		}
	}
	return nil
}

func ofEndpoint(keys func(*v1alpha1.WebhookEndpoint) []string) client.IndexerFunc {
	return func(object client.Object) []string {
		endpoint, ok := object.(*v1alpha1.WebhookEndpoint)
		if !ok {
			return nil
		}
		return keys(endpoint)
	}
}

func ofRoute(key func(*corev1.Secret) string) client.IndexerFunc {
	return func(object client.Object) []string {
		secret, ok := object.(*corev1.Secret)
		if !ok || !isRoute(secret) {
			return nil
		}
		return []string{key(secret)}
	}
}

// secretNames are the Secrets that an endpoint names, all of its own namespace.
func secretNames(endpoint *v1alpha1.WebhookEndpoint) []string {
	names := newSet()
	names.add(endpoint.Spec.SecretRef.Name)
	for _, target := range endpoint.Spec.Targets {
		names.add(target.SigningSecretRef.Name)
	}
	return names.items
}

// services are the Services that an endpoint delivers to.
func services(endpoint *v1alpha1.WebhookEndpoint) []types.NamespacedName {
	seen := map[types.NamespacedName]bool{}
	var keys []types.NamespacedName
	for _, target := range endpoint.Spec.Targets {
		key := types.NamespacedName{Namespace: target.Service.Namespace, Name: target.Service.Name}
		if key.Namespace == "" {
			key.Namespace = endpoint.Namespace
		}
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	return keys
}

func serviceKeys(endpoint *v1alpha1.WebhookEndpoint) []string {
	keys := newSet()
	for _, service := range services(endpoint) {
		keys.add(service.String())
	}
	return keys.items
}

// foreignNamespaces are the namespaces whose consent an endpoint needs.
func foreignNamespaces(endpoint *v1alpha1.WebhookEndpoint) []string {
	namespaces := newSet()
	for _, service := range services(endpoint) {
		if service.Namespace != endpoint.Namespace {
			namespaces.add(service.Namespace)
		}
	}
	return namespaces.items
}

func paths(endpoint *v1alpha1.WebhookEndpoint) []string { return []string{compile.PathOf(endpoint)} }

// isRoute says whether a Secret is a route. The type decides: unlike a label
// it cannot be changed.
func isRoute(secret *corev1.Secret) bool { return secret.Type == meta.SecretTypeRoute }

// routeOwner names the endpoint of a route Secret. A Secret that names none is
// owned by an endpoint that cannot exist, and so removed like every orphan.
func routeOwner(secret client.Object) types.NamespacedName {
	namespace, name, ok := strings.Cut(secret.GetAnnotations()[meta.AnnotationEndpoint], "/")
	if !ok || namespace == "" || name == "" {
		return types.NamespacedName{Namespace: secret.GetNamespace(), Name: "orphan:" + secret.GetName()}
	}
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// set collects names once each, in order, and skips the empty one.
type set struct {
	seen  map[string]bool
	items []string
}

func newSet() *set { return &set{seen: map[string]bool{}} }

func (s *set) add(item string) {
	if item != "" && !s.seen[item] {
		s.seen[item] = true
		s.items = append(s.items, item)
	}
}
