package resources_test

import (
	"encoding/json"
	"reflect"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/postern-dev/postern/controllers/resources"
)

// TestRestricted judges every pod by the code that a cluster judges it with.
func TestRestricted(t *testing.T) {
	t.Parallel()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	for name, receiver := range inputs(t) {
		template := find[appsv1.Deployment](t, "Deployment", resources.Receiver(receiver, settings)).Spec.Template
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &template.ObjectMeta, &template.Spec))
		if !result.Allowed {
			t.Errorf("%s: %s: %s", name, result.ForbiddenReason(), result.ForbiddenDetail())
		}
		for _, container := range append(template.Spec.InitContainers, template.Spec.Containers...) {
			if root := container.SecurityContext.ReadOnlyRootFilesystem; root == nil || !*root {
				t.Errorf("%s: container %s may write its root file system", name, container.Name)
			}
			if container.Resources.Requests.Memory().IsZero() {
				t.Errorf("%s: container %s requests no memory", name, container.Name)
			}
		}
	}
}

// TestRole keeps the receiver's permissions at exactly what it reads.
func TestRole(t *testing.T) {
	t.Parallel()
	want := []rbacv1.PolicyRule{{
		APIGroups: []string{""},
		Resources: []string{"secrets"},
		Verbs:     []string{"get", "list", "watch"},
	}}
	for name, receiver := range inputs(t) {
		objects := resources.Receiver(receiver, settings)
		if got := find[rbacv1.Role](t, "Role", objects).Rules; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: role has the rules %v, want %v", name, got, want)
		}
		binding := find[rbacv1.RoleBinding](t, "RoleBinding", objects)
		account := find[corev1.ServiceAccount](t, "ServiceAccount", objects)
		if binding.RoleRef.Kind != "Role" || len(binding.Subjects) != 1 || binding.Subjects[0].Name != account.Name {
			t.Errorf("%s: binding grants %v to %v, want the role to the service account alone",
				name, binding.RoleRef, binding.Subjects)
		}
		for _, kind := range []string{"ClusterRole", "ClusterRoleBinding"} {
			if has(t, kind, objects) {
				t.Errorf("%s: renders a %s; the receiver has no business outside its namespace", name, kind)
			}
		}
	}
}

// TestToken proves that the token is for the receiver's pod alone.
func TestToken(t *testing.T) {
	t.Parallel()
	for name, receiver := range inputs(t) {
		objects := resources.Receiver(receiver, settings)
		account := find[corev1.ServiceAccount](t, "ServiceAccount", objects)
		if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken {
			t.Errorf("%s: the service account mounts its token into every pod that names it", name)
		}
	}
}

// TestClaimIsNobodys proves that deleting a WebhookReceiver deletes no event:
// the garbage collector takes everything that has an owner.
func TestClaimIsNobodys(t *testing.T) {
	t.Parallel()
	receiver := inputs(t)["default"]
	objects := resources.Receiver(receiver, settings)
	claim := find[corev1.PersistentVolumeClaim](t, "PersistentVolumeClaim", objects)
	if len(claim.OwnerReferences) != 0 {
		t.Errorf("claim is owned by %v, want by nobody", claim.OwnerReferences)
	}
	for _, object := range objects {
		var meta struct {
			Kind     string `json:"kind"`
			Metadata struct {
				OwnerReferences []struct {
					UID string `json:"uid"`
				} `json:"ownerReferences"`
			} `json:"metadata"`
		}
		convert(t, object, &meta)
		owners := meta.Metadata.OwnerReferences
		if meta.Kind != "PersistentVolumeClaim" && (len(owners) != 1 || owners[0].UID != "0000-default") {
			t.Errorf("%s is owned by %v, want by the WebhookReceiver", meta.Kind, owners)
		}
	}
}

func find[T any](t *testing.T, kind string, objects []runtime.ApplyConfiguration) *T {
	t.Helper()
	for _, object := range objects {
		if kindOf(t, object) == kind {
			found := new(T)
			convert(t, object, found)
			return found
		}
	}
	t.Fatalf("no %s is rendered", kind)
	return nil
}

func has(t *testing.T, kind string, objects []runtime.ApplyConfiguration) bool {
	t.Helper()
	for _, object := range objects {
		if kindOf(t, object) == kind {
			return true
		}
	}
	return false
}

func kindOf(t *testing.T, object runtime.ApplyConfiguration) string {
	t.Helper()
	var typed struct {
		Kind string `json:"kind"`
	}
	convert(t, object, &typed)
	return typed.Kind
}

func convert(t *testing.T, from, into any) {
	t.Helper()
	data, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}
