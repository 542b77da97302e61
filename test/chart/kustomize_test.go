package chart_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What may differ between the two installations, and nothing else:
//
//   - labels that say which of the two it was, and of which release;
//   - the annotation that keeps the CRDs;
//   - the Namespace, which `helm install --create-namespace` makes;
//   - the pod of `helm test`;
//   - the WebhookReceiver, which kustomize leaves to a second apply and the
//     chart gives to the manager. TestLifeOfARelease compares the two.
var (
	ownLabels    = []string{"app.kubernetes.io/", "helm.sh/"}
	ownArguments = []string{"--default-receiver=", "--default-receiver-owner="}
	onlyOne      = []string{"Namespace /postern-system", "Pod postern-system/postern-test"}
)

func TestKustomizeRendersTheSameObjects(t *testing.T) {
	t.Parallel()
	fromChart := normalised(t, render(t))
	fromKustomize := normalised(t, kustomize(t, "config/default"))
	for name, want := range fromKustomize {
		got, found := fromChart[name]
		if !found {
			t.Errorf("the chart lacks %s", name)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s differs (- kustomize, + chart):\n%s", name, diff)
		}
	}
	for name := range fromChart {
		if _, found := fromKustomize[name]; !found {
			t.Errorf("kustomize lacks %s", name)
		}
	}
	if len(fromKustomize) < 15 {
		t.Errorf("only %d objects were compared", len(fromKustomize))
	}
}

func kustomize(t *testing.T, folder string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "tool", "-modfile=hack/tools/go.mod", "kustomize", "build", folder)
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Fatalf("kustomize build %s: %v", folder, err)
	}
	return string(out)
}

func normalised(t *testing.T, manifests string) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, object := range objects(t, manifests) {
		name := object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
		if slices.Contains(onlyOne, name) {
			continue
		}
		dropLabels(object.Object, "metadata")
		dropLabels(object.Object, "spec", "template", "metadata")
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations", "helm.sh/resource-policy")
		if object.GetKind() == "Deployment" {
			dropArguments(t, object)
		}
		found[name] = object.Object
	}
	return found
}

func dropLabels(object map[string]any, path ...string) {
	metadata, found, _ := unstructured.NestedMap(object, path...)
	if !found {
		return
	}
	labels, _ := metadata["labels"].(map[string]any)
	for label := range labels {
		if slices.ContainsFunc(ownLabels, func(prefix string) bool { return strings.HasPrefix(label, prefix) }) {
			unstructured.RemoveNestedField(object, append(slices.Clone(path), "labels", label)...)
		}
	}
	if left, _, _ := unstructured.NestedMap(object, append(slices.Clone(path), "labels")...); len(left) == 0 {
		unstructured.RemoveNestedField(object, append(slices.Clone(path), "labels")...)
	}
}

func dropArguments(t *testing.T, deployment *unstructured.Unstructured) {
	t.Helper()
	containers, _, err := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	if err != nil {
		t.Fatal(err)
	}
	container := containers[0].(map[string]any)
	container["args"] = slices.DeleteFunc(container["args"].([]any), func(argument any) bool {
		return slices.ContainsFunc(ownArguments, func(own string) bool { return strings.HasPrefix(argument.(string), own) })
	})
	if err := unstructured.SetNestedSlice(deployment.Object, containers, "spec", "template", "spec", "containers"); err != nil {
		t.Fatal(err)
	}
}
