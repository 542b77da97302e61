package compile_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/receiver/route"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// inputFile is in.yaml: what a cluster would hold.
type inputFile struct {
	ExternalURL    string                          `json:"externalURL"`
	Endpoint       *v1alpha1.WebhookEndpoint       `json:"endpoint"`
	Others         []*v1alpha1.WebhookEndpoint     `json:"others"`
	Secrets        []*corev1.Secret                `json:"secrets"`
	Services       []*corev1.Service               `json:"services"`
	Grants         []gatewayv1beta1.ReferenceGrant `json:"grants"`
	AssumeServices bool                            `json:"assumeServices"`
}

// outputFile is out.yaml.
type outputFile struct {
	URL      string            `json:"url"`
	Problems []compile.Problem `json:"problems,omitempty"`
	Route    *route.Endpoint   `json:"route,omitempty"`
	Hash     string            `json:"hash,omitempty"`
}

func readInput(t *testing.T, path string) compile.Input {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file inputFile
	if err := yaml.UnmarshalStrict(data, &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	in := compile.Input{
		ExternalURL:    file.ExternalURL,
		Endpoint:       file.Endpoint,
		Holder:         compile.Holder(file.Endpoint, file.Others),
		SigningSecrets: map[string]*corev1.Secret{},
		Services:       map[types.NamespacedName]*corev1.Service{},
		Grants:         file.Grants,
		AssumeServices: file.AssumeServices,
	}
	for _, s := range file.Secrets {
		s.Data = map[string][]byte{}
		for key, value := range s.StringData {
			s.Data[key] = []byte(value)
		}
		in.SigningSecrets[s.Name] = s
		if s.Name == file.Endpoint.Spec.SecretRef.Name {
			in.Secret = s
		}
	}
	for _, s := range file.Services {
		in.Services[types.NamespacedName{Namespace: s.Namespace, Name: s.Name}] = s
	}
	return in
}

func TestGolden(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("testdata/*/in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("found no cases: %v", err)
	}
	for _, path := range inputs {
		folder := filepath.Dir(path)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			result := compile.Endpoint(readInput(t, path))
			out := outputFile{URL: result.URL, Problems: result.Problems, Route: result.Route}
			if result.Route != nil {
				out.Hash = result.Route.Hash()
			}
			got, err := yaml.Marshal(out)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join(folder, "out.yaml")
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; write it with -update", err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("result differs from %s (rewrite it with -update):\n%s", golden, got)
			}
		})
	}
}

// Equal input gives equal bytes, and input is only read.
func TestEndpointIsPure(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob("testdata/*/in.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("found no cases: %v", err)
	}
	for _, path := range inputs {
		in := readInput(t, path)
		before := dump(t, in)
		first := document(t, compile.Endpoint(in))
		for range 20 {
			if again := document(t, compile.Endpoint(in)); !bytes.Equal(first, again) {
				t.Fatalf("%s compiles differently a second time:\n%s\n%s", path, first, again)
			}
		}
		if after := dump(t, in); !bytes.Equal(before, after) {
			t.Errorf("%s: compiling changed the input", path)
		}
	}
}

func dump(t *testing.T, in compile.Input) []byte {
	t.Helper()
	services := map[string]*corev1.Service{}
	for name, s := range in.Services {
		services[name.String()] = s
	}
	data, err := json.Marshal([]any{in.Endpoint, in.Secret, in.SigningSecrets, services, in.Grants})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func document(t *testing.T, result compile.Result) []byte {
	t.Helper()
	problems, err := json.Marshal(result.Problems)
	if err != nil {
		t.Fatal(err)
	}
	if result.Route == nil {
		return problems
	}
	data, err := result.Route.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append(data, problems...)
}
