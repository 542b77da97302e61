package chart_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	psaapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// Dashboards are for Grafana's sidecar, which reads ConfigMaps alone.
func TestNoConfigMapAndNoWebhook(t *testing.T) {
	t.Parallel()
	refused := []string{"ConfigMap", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "Secret"}
	for name, file := range valueFiles(t) {
		for _, object := range objects(t, render(t, "--values", file)) {
			if slices.Contains(refused, object.GetKind()) && object.GetLabels()["grafana_dashboard"] == "" {
				t.Errorf("%s renders %s %s", name, object.GetKind(), object.GetName())
			}
		}
	}
}

func TestDashboardsAreThoseOfTheFiles(t *testing.T) {
	t.Parallel()
	rendered := map[string]string{}
	for _, object := range objects(t, render(t, "--set", "metrics.dashboards.enabled=true")) {
		if object.GetKind() == "ConfigMap" {
			data, _, err := unstructured.NestedStringMap(object.Object, "data")
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(rendered, data)
		}
	}
	files, err := filepath.Glob(chart + "/dashboards/*.json")
	if err != nil || len(files) == 0 || len(files) != len(rendered) {
		t.Fatalf("%d ConfigMaps of %d dashboards (%v)", len(rendered), len(files), err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := rendered["postern-"+filepath.Base(file)]; strings.TrimSpace(got) != strings.TrimSpace(string(want)) {
			t.Errorf("%s is rendered differently", file)
		}
	}
}

func TestEveryObjectHasTheRecommendedLabels(t *testing.T) {
	t.Parallel()
	for name, file := range valueFiles(t) {
		for _, object := range objects(t, render(t, "--values", file)) {
			for _, label := range []string{"name", "instance", "version", "component", "part-of", "managed-by"} {
				if object.GetLabels()["app.kubernetes.io/"+label] == "" {
					t.Errorf("%s: %s %s lacks app.kubernetes.io/%s", name, object.GetKind(), object.GetName(), label)
				}
			}
			if name == "everything" && (object.GetLabels()["cost-center"] != "42" ||
				object.GetAnnotations()["example.com/owner"] != "platform") {
				t.Errorf("%s %s lacks the common labels or annotations", object.GetKind(), object.GetName())
			}
		}
	}
}

func TestNamespacedObjectsAreInTheirNamespace(t *testing.T) {
	t.Parallel()
	cluster := []string{"CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}
	for name, file := range valueFiles(t) {
		for _, object := range objects(t, render(t, "--values", file)) {
			if slices.Contains(cluster, object.GetKind()) != (object.GetNamespace() == "") {
				t.Errorf("%s: %s %s is in namespace %q", name, object.GetKind(), object.GetName(), object.GetNamespace())
			}
		}
	}
}

func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psaapi.LevelVersion{Level: psaapi.LevelRestricted, Version: psaapi.LatestVersion()}
	evaluated := 0
	for name, file := range valueFiles(t) {
		for _, object := range objects(t, render(t, "--values", file)) {
			path := map[string][]string{"Pod": {"spec"}, "Deployment": {"spec", "template", "spec"}}[object.GetKind()]
			if path == nil {
				continue
			}
			evaluated++
			for _, result := range evaluator.EvaluatePod(level, &metav1.ObjectMeta{}, podSpec(t, object, path)) {
				if !result.Allowed {
					t.Errorf("%s: %s %s: %s: %s",
						name, object.GetKind(), object.GetName(), result.ForbiddenReason, result.ForbiddenDetail)
				}
			}
		}
	}
	if evaluated < 2*len(valueFiles(t)) {
		t.Errorf("only %d pods were evaluated", evaluated)
	}
}

func podSpec(t *testing.T, object *unstructured.Unstructured, path []string) *corev1.PodSpec {
	t.Helper()
	raw, _, err := unstructured.NestedMap(object.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	spec := &corev1.PodSpec{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestCRDsCanBeKeptAndLeftOut(t *testing.T) {
	t.Parallel()
	count := func(arguments ...string) (crds, kept int) {
		for _, object := range objects(t, render(t, arguments...)) {
			if object.GetKind() == "CustomResourceDefinition" {
				crds++
				if object.GetAnnotations()["helm.sh/resource-policy"] == "keep" {
					kept++
				}
			}
		}
		return crds, kept
	}
	for _, c := range []struct {
		set        string
		crds, kept int
	}{{"crds.enabled=true", 3, 3}, {"crds.keep=false", 3, 0}, {"crds.enabled=false", 0, 0}} {
		if crds, kept := count("--set", c.set); crds != c.crds || kept != c.kept {
			t.Errorf("--set %s: %d CRDs, %d kept; want %d, %d", c.set, crds, kept, c.crds, c.kept)
		}
	}
}

func TestNamespacedModeHasNoClusterScope(t *testing.T) {
	t.Parallel()
	namespaces := map[string]bool{}
	for _, object := range objects(t, render(t, "--values", "testdata/values/namespaced.yaml")) {
		if strings.HasPrefix(object.GetKind(), "Cluster") {
			t.Errorf("renders %s %s", object.GetKind(), object.GetName())
		}
		if object.GetKind() == "Role" {
			namespaces[object.GetNamespace()] = true
		}
	}
	for _, namespace := range []string{namespace, "shop", "ci"} {
		if !namespaces[namespace] {
			t.Errorf("no Role in %s", namespace)
		}
	}
}

// The system namespace may be a tenant too; a second Role of the same name
// would be an error of the API server.
func TestSystemNamespaceAsATenant(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, object := range objects(t, render(t, "--set", "watchNamespaces={"+namespace+",shop,shop}")) {
		key := object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
		if seen[key] {
			t.Errorf("%s is rendered twice", key)
		}
		seen[key] = true
	}
}
