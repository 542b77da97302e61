// Package chart_test proves the Helm chart: what it renders, what it refuses,
// and a whole life of a release on a real API server.
package chart_test

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/test/helm"
)

const (
	root      = "../.."
	chart     = root + "/charts/postern"
	namespace = "postern-system"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// run runs Helm against the cluster of kubeconfig, if any, and returns what it
// printed.
func run(t *testing.T, kubeconfig string, arguments ...string) (string, error) {
	t.Helper()
	program, err := helm.Find(root, t.TempDir(), kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return program.Run(t.Context(), arguments...)
}

// render renders the chart as release "postern" of the system namespace.
func render(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := run(t, "", append([]string{"template", "postern", chart, "--namespace", namespace}, arguments...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// valueFiles are the files of testdata/values by their names.
func valueFiles(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/values/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no values: %v", err)
	}
	named := map[string]string{}
	for _, file := range files {
		named[strings.TrimSuffix(filepath.Base(file), ".yaml")] = file
	}
	return named
}

// objects decodes a stream of manifests.
func objects(t *testing.T, manifests string) []*unstructured.Unstructured {
	t.Helper()
	var found []*unstructured.Unstructured
	for document := range strings.SplitSeq("\n"+manifests, "\n---") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
			t.Fatalf("%v in:\n%s", err, document)
		}
		if len(object.Object) > 0 {
			found = append(found, object)
		}
	}
	return found
}

// find returns the object of a kind and name.
func find(t *testing.T, among []*unstructured.Unstructured, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, object := range among {
		if object.GetKind() == kind && object.GetName() == name {
			return object
		}
	}
	t.Fatalf("no %s %s", kind, name)
	return nil
}

// arguments are those of the manager's container as its process gets them.
func arguments(t *testing.T, deployment *unstructured.Unstructured) []string {
	t.Helper()
	containers, _, err := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	if err != nil || len(containers) != 1 {
		t.Fatalf("%d containers: %v", len(containers), err)
	}
	given, _, err := unstructured.NestedStringSlice(containers[0].(map[string]any), "args")
	if err != nil {
		t.Fatal(err)
	}
	for i := range given {
		given[i] = strings.ReplaceAll(given[i], "--namespace=$(POD_NAMESPACE)", "--namespace="+namespace)
		given[i] = strings.ReplaceAll(given[i], "$$", "$") // as the kubelet does
	}
	return given
}
