//go:build e2e

package e2e

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
)

// uninstall does what `make undeploy` does and looks for what is left.
func (s *suite) uninstall(t *testing.T) {
	for _, name := range []string{"github", "stripe"} {
		endpoint := kube.Object(apiVersion, "WebhookEndpoint", namespace, name)
		must(t, s.client.Delete(t.Context(), endpoint))
		must(t, kube.AwaitGone(t.Context(), s.client, endpoint, patience))
	}
	s.noRoutesAreLeft(t)
	receiver := kube.Object(apiVersion, "WebhookReceiver", systemNamespace, "default")
	must(t, s.client.Delete(t.Context(), receiver))
	must(t, kube.AwaitGone(t.Context(), s.client, receiver, patience))
	must(t, kube.Delete(t.Context(), s.client, installManifest(t), patience))
	test := kube.Object("v1", "Namespace", "", namespace)
	must(t, s.client.Delete(t.Context(), test))
	must(t, kube.AwaitGone(t.Context(), s.client, test, patience))
	s.nothingIsLeft(t)
}

// noRoutesAreLeft: the finalizer removed them, key material included.
func (s *suite) noRoutesAreLeft(t *testing.T) {
	t.Helper()
	var routes corev1.SecretList
	must(t, s.client.List(t.Context(), &routes, client.InNamespace(systemNamespace),
		client.MatchingLabels{"hooks.postern.dev/route": "true"}))
	for _, route := range routes.Items {
		t.Errorf("route %s of %s is left", route.Name, route.Annotations["hooks.postern.dev/endpoint"])
	}
}

// nothingIsLeft looks for objects outside of namespaces.
func (s *suite) nothingIsLeft(t *testing.T) {
	t.Helper()
	for _, kind := range []schema.GroupVersionKind{
		{Version: "v1", Kind: "NamespaceList"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleList"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleBindingList"},
		{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinitionList"},
	} {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind)
		must(t, s.client.List(t.Context(), list))
		for _, item := range list.Items {
			if strings.Contains(item.Name, "postern") {
				t.Errorf("%s is left in the %s", item.Name, kind.Kind)
			}
		}
	}
}
