package crd_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/wait"
)

// as returns a client of somebody else.
func as(t *testing.T, user string, groups ...string) client.Client {
	t.Helper()
	config := rest.CopyConfig(server)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	other, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// sliceOf is what leads a Service to a pod of another namespace.
func sliceOf(service string) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: service + "-", Namespace: "policies", Labels: map[string]string{discoveryv1.LabelServiceName: service},
		},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.1.2.3"}}},
	}
}

// TestTenantsCannotLeadAServiceAstray applies the policy and tries it: a tenant
// with the right to write EndpointSlices is refused, and with a reason; the
// control plane and the platform team go on.
func TestTenantsCannotLeadAServiceAstray(t *testing.T) {
	t.Parallel()
	manifest, err := os.ReadFile("../../config/policies/endpointslices.yaml")
	if err != nil {
		t.Fatal(err)
	}
	policies, err := kube.Decode(manifest)
	if err != nil {
		t.Fatal(err)
	}
	for _, policy := range policies {
		apply(t, policy)
	}
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "policies"}},
		&rbacv1.Role{
			ObjectMeta: metav1.ObjectMeta{Name: "slices", Namespace: "policies"},
			Rules: []rbacv1.PolicyRule{
				{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: []string{"*"}},
				{APIGroups: []string{""}, Resources: []string{"endpoints"}, Verbs: []string{"*"}},
			},
		},
		&rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "slices", Namespace: "policies"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "slices"},
			Subjects: []rbacv1.Subject{
				{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "tenant"},
				{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: "system:serviceaccounts:kube-system"},
			},
		},
	} {
		if err := api.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	tenant := as(t, "tenant")
	// A policy takes effect some time after it was written, and so do rights.
	wait.For(t, "the refusal of a tenant's EndpointSlice", func() error {
		refusal := tenant.Create(t.Context(), sliceOf("astray"))
		if refusal == nil || !strings.Contains(refusal.Error(), "Give the Service a selector") {
			return fmt.Errorf("the answer is %w", refusal)
		}
		return nil
	})
	//nolint:staticcheck // the old kind still leads Services somewhere
	old := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: "astray", Namespace: "policies"}}
	if err := tenant.Create(t.Context(), old); !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) {
		t.Errorf("a tenant's Endpoints are answered %v", err)
	}
	controller := as(t, "system:serviceaccount:kube-system:endpointslice-controller",
		"system:serviceaccounts", "system:serviceaccounts:kube-system")
	for name, allowed := range map[string]client.Client{"the control plane": controller, "the platform team": api} {
		if err := allowed.Create(t.Context(), sliceOf("right")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
