package resources_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/resources"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var settings = resources.Settings{Image: "ghcr.io/postern-dev/postern:v0", ClusterDomain: "cluster.local"}

// TestGolden shows what every kind of WebhookReceiver becomes. Read the
// .out.yaml files in review: they are the deployment.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, receiver := range inputs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, name+".out.yaml", render(t, resources.Receiver(receiver, settings)))
		})
	}
}

// TestInputStays proves that the builders only read: the WebhookReceiver comes
// from a cache that others read too.
func TestInputStays(t *testing.T) {
	t.Parallel()
	for name, receiver := range inputs(t) {
		before := receiver.DeepCopy()
		first := render(t, resources.Receiver(receiver, settings))
		second := render(t, resources.Receiver(receiver, settings))
		if !bytes.Equal(first, second) {
			t.Errorf("%s: two renderings of one input differ", name)
		}
		if want, got := toYAML(t, before), toYAML(t, receiver); !bytes.Equal(want, got) {
			t.Errorf("%s: the input was changed to\n%s", name, got)
		}
	}
}

// TestNoConfigMap keeps the promise that configuration is API objects and
// arguments only.
func TestNoConfigMap(t *testing.T) {
	t.Parallel()
	for name, receiver := range inputs(t) {
		if out := render(t, resources.Receiver(receiver, settings)); bytes.Contains(bytes.ToLower(out), []byte("configmap")) {
			t.Errorf("%s renders a ConfigMap or a reference to one", name)
		}
	}
}

func inputs(t *testing.T) map[string]*v1alpha1.WebhookReceiver {
	t.Helper()
	files, err := filepath.Glob("testdata/*.in.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no inputs in testdata: %v", err)
	}
	receivers := map[string]*v1alpha1.WebhookReceiver{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		receiver := &v1alpha1.WebhookReceiver{}
		if err := yaml.UnmarshalStrict(data, receiver); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		receivers[strings.TrimSuffix(filepath.Base(file), ".in.yaml")] = receiver
	}
	return receivers
}

func render(t *testing.T, objects []runtime.ApplyConfiguration) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, object := range objects {
		out.WriteString("---\n")
		out.Write(toYAML(t, object))
	}
	return out.Bytes()
}

func toYAML(t *testing.T, object any) []byte {
	t.Helper()
	data, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run the test with -update to write it", err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs from what is rendered; read the difference and run the test with -update\n%s",
			file, firstDifference(want, got))
	}
}

func firstDifference(want, got []byte) string {
	wants, gots := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range wants {
		if i >= len(gots) {
			return "it ends before: " + wants[i]
		}
		if wants[i] != gots[i] {
			return "want: " + wants[i] + "\n got: " + gots[i]
		}
	}
	return "it goes on after the golden file's end"
}
