package security

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
	"github.com/postern-dev/postern/test/wait"
)

// TestAccounts asks the API server, with a token of its own making, what each of
// the two accounts may do: these rules and no others.
func TestAccounts(t *testing.T) {
	t.Parallel()
	everywhere := []string{
		"create,patch events.k8s.io/events",
		"delete,get,list,patch,watch hooks.postern.dev/webhookreplays",
		"get,list,patch,watch hooks.postern.dev/webhookendpoints",
		"get,list,watch /secrets",
		"get,list,watch /services",
		"get,list,watch gateway.networking.k8s.io/referencegrants",
		"get,list,watch hooks.postern.dev/webhookreceivers",
		"patch hooks.postern.dev/webhookendpoints/status",
		"patch hooks.postern.dev/webhookreceivers/status",
		"patch hooks.postern.dev/webhookreplays/status",
	}
	for name, c := range map[string]struct {
		account, namespace string
		want               []string
	}{
		"the receiver in its namespace": {"postern-receiver", local.SystemNamespace, []string{"get,list,watch /secrets"}},
		"the receiver at tenants":       {"postern-receiver", "default", nil},
		"the manager at tenants":        {"postern-manager", "default", everywhere},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			review := &authorizationv1.SelfSubjectRulesReview{
				Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: c.namespace},
			}
			review, err := as(t, c.account).AuthorizationV1().SelfSubjectRulesReviews().
				Create(t.Context(), review, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := rules(review); !slices.Equal(got, c.want) {
				t.Errorf("may\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// everybodys are the groups of which Kubernetes itself lets every account read something.
var everybodys = []string{"authorization.k8s.io", "authentication.k8s.io", "certificates.k8s.io"}

// rules lists what a review tells, one resource a line.
func rules(review *authorizationv1.SelfSubjectRulesReview) []string {
	var all []string
	for _, rule := range review.Status.ResourceRules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				if slices.Contains(everybodys, group) {
					continue
				}
				all = append(all, strings.Join(slices.Sorted(slices.Values(rule.Verbs)), ",")+" "+group+"/"+resource)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// as connects with a token that the API server makes for the account.
func as(t *testing.T, account string) *kubernetes.Clientset {
	t.Helper()
	token, err := kubernetes.NewForConfigOrDie(config).CoreV1().ServiceAccounts(local.SystemNamespace).
		CreateToken(t.Context(), account, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	own := rest.AnonymousClientConfig(config)
	own.BearerToken = token.Status.Token
	return kubernetes.NewForConfigOrDie(own)
}

// TestUserRoles binds the roles that the installation ships to people of one
// namespace, and asks what they may do.
func TestUserRoles(t *testing.T) {
	t.Parallel()
	write := []string{"create", "update", "patch", "delete"}
	read := []string{"get", "list", "watch"}
	for role, c := range map[string]struct {
		aggregates string
		resource   string
		may        []string
	}{
		"postern-webhookendpoint-admin":  {"admin", "webhookendpoints", append(write, read...)},
		"postern-webhookendpoint-editor": {"edit", "webhookendpoints", append(write, read...)},
		"postern-webhookendpoint-viewer": {"view", "webhookendpoints", read},
		"postern-webhookreplay-admin":    {"admin", "webhookreplays", append(write, read...)},
		"postern-webhookreplay-editor":   {"edit", "webhookreplays", append(write, read...)},
		"postern-webhookreplay-viewer":   {"view", "webhookreplays", read},
		"postern-webhookreceiver-viewer": {"view", "webhookreceivers", read},
		"postern-webhookreceiver-editor": {"", "webhookreceivers", append(write, read...)},
		"postern-webhookreceiver-admin":  {"", "webhookreceivers", append(write, read...)},
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			api := kubernetes.NewForConfigOrDie(config)
			found, err := api.RbacV1().ClusterRoles().Get(t.Context(), role, metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, standard := range []string{"admin", "edit", "view"} {
				label := found.Labels["rbac.authorization.k8s.io/aggregate-to-"+standard]
				if (label == "true") != (standard == c.aggregates) {
					t.Errorf("aggregated to %s: %q", standard, label)
				}
			}
			_, err = api.RbacV1().RoleBindings("default").Create(t.Context(), &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: role},
				RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
				Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: role}},
			}, metav1.CreateOptions{})
			if err != nil {
				t.Fatal(err)
			}
			// The authorizer learns of the binding by a watch.
			err = kube.Until(t.Context(), "the binding to count", wait.Patience, func(context.Context) error {
				if !allowed(t, role, "default", "get", c.resource, "") {
					return errors.New("it does not count yet")
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, verb := range append(read, write...) {
				ask(t, role, "default", verb, c.resource, "", slices.Contains(c.may, verb))
				ask(t, role, "kube-system", verb, c.resource, "", false)
				ask(t, role, "default", verb, "secrets", "", false)
			}
			// A status is the controllers' word: a place in it is worth a lot.
			for _, verb := range write[1:3] {
				ask(t, role, "default", verb, c.resource, "status", false)
			}
		})
	}
}

// ask wants the API server's answer to whether somebody may do something.
func ask(t *testing.T, user, namespace, verb, resource, subresource string, want bool) {
	t.Helper()
	if got := allowed(t, user, namespace, verb, resource, subresource); got != want {
		t.Errorf("%s %s %s/%s in %s: allowed %v, want %v", user, verb, resource, subresource, namespace, got, want)
	}
}

func allowed(t *testing.T, user, namespace, verb, resource, subresource string) bool {
	t.Helper()
	group := "hooks.postern.dev"
	if resource == "secrets" {
		group = ""
	}
	review, err := kubernetes.NewForConfigOrDie(config).AuthorizationV1().SubjectAccessReviews().Create(t.Context(),
		&authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User: user,
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: namespace, Verb: verb, Group: group, Resource: resource, Subresource: subresource,
			},
		}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}
