//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
)

// uninstall does what docs/install.md says, and looks for what is left after
// each step.
func (s *suite) uninstall(t *testing.T) {
	s.remove(t, "endpoints.yaml", "${GITHUB_SECRET}", s.secret)
	s.noRoutesAreLeft(t)
	s.run(t, "uninstall", release, "--wait", "--timeout", "2m")
	// The claim holds acknowledged events; it is removed by people. Tombstones stay
	// with it: the next installation on that store learns from them what was deleted.
	s.leaves(t, "PersistentVolumeClaim postern-store")
	var kept []string
	for _, plural := range []string{"webhookendpoints", "webhookreceivers", "webhookreplays"} {
		kept = append(kept, "CustomResourceDefinition "+plural+".hooks.postern.dev")
	}
	s.leavesInCluster(t, kept...)
	for _, definition := range kept {
		_, name, _ := strings.Cut(definition, " ")
		s.delete(t, "apiextensions.k8s.io/v1", "CustomResourceDefinition", name)
	}
	namespaces := []string{systemNamespace, namespace, nodeNamespace}
	for _, name := range namespaces {
		must(t, s.client.Delete(t.Context(), kube.Object("v1", "Namespace", "", name)))
	}
	for _, name := range namespaces {
		must(t, kube.AwaitGone(t.Context(), s.client, kube.Object("v1", "Namespace", "", name), patience))
	}
	s.leavesInCluster(t)
}

func (s *suite) delete(t *testing.T, apiVersion, kind, name string) {
	t.Helper()
	o := kube.Object(apiVersion, kind, "", name)
	must(t, client.IgnoreNotFound(s.client.Delete(t.Context(), o)))
	must(t, kube.AwaitGone(t.Context(), s.client, o, patience))
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

// everyNamespaceHas is what Kubernetes puts into namespaces by itself.
var everyNamespaceHas = []string{"ServiceAccount default", "ConfigMap kube-root-ca.crt"}

// leaves waits until nothing is in the system namespace, of any kind, but what
// is named.
func (s *suite) leaves(t *testing.T, but ...string) {
	t.Helper()
	lists, err := s.discovery.ServerPreferredResources()
	must(t, err)
	lists = discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "delete"}}, lists)
	must(t, kube.Until(t.Context(), "an empty namespace", patience, func(ctx context.Context) error {
		var left []string
		for _, list := range lists {
			for _, resource := range list.APIResources {
				if !resource.Namespaced || resource.Kind == "Event" {
					continue
				}
				version, err := schema.ParseGroupVersion(list.GroupVersion)
				if err != nil {
					return err
				}
				names, err := s.names(ctx, version.WithKind(resource.Kind), client.InNamespace(systemNamespace))
				if err != nil {
					return err
				}
				left = append(left, names...)
			}
		}
		left = slices.DeleteFunc(left, func(name string) bool {
			return slices.Contains(everyNamespaceHas, name) || slices.Contains(but, name) ||
				strings.HasPrefix(name, "Secret tombstone-")
		})
		if len(left) > 0 {
			return fmt.Errorf("left are %q", left)
		}
		return nil
	}))
}

// leavesInCluster looks for objects outside of namespaces.
func (s *suite) leavesInCluster(t *testing.T, but ...string) {
	t.Helper()
	for _, kind := range []schema.GroupVersionKind{
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRole"},
		{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "ClusterRoleBinding"},
		{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"},
	} {
		names, err := s.names(t.Context(), kind)
		must(t, err)
		for _, name := range names {
			if strings.Contains(name, "postern") && !slices.Contains(but, name) {
				t.Errorf("%s is left", name)
			}
		}
	}
}

// names are the objects of a kind, as kind and name.
func (s *suite) names(ctx context.Context, kind schema.GroupVersionKind, options ...client.ListOption) ([]string, error) {
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
	if err := s.client.List(ctx, list, options...); err != nil {
		return nil, fmt.Errorf("list %s: %w", kind, err)
	}
	var names []string
	for _, item := range list.Items {
		names = append(names, kind.Kind+" "+item.Name)
	}
	return names, nil
}
