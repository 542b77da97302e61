package crd_test

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/test/kube"
)

// Every sample is applied for good, file by file, and its endpoints compile
// with the Secrets beside them.
func TestSamples(t *testing.T) {
	t.Parallel()
	system := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "postern-system"}}
	if err := api.Create(t.Context(), system); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../config/samples/hooks_*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no samples: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			manifest, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			objects, err := kube.Decode(manifest)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objects {
				o.SetNamespace(cmp.Or(o.GetNamespace(), "default"))
				apply(t, o)
				if o.GetKind() == v1alpha1.KindWebhookEndpoint {
					compiles(t, o.GetNamespace(), o.GetName())
				}
			}
		})
	}
}

func apply(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	err := client.WithFieldValidation(api, "Strict").Apply(t.Context(),
		client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("samples"), client.ForceOwnership)
	if err != nil {
		t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
	}
}

// compiles reads the endpoint and its Secrets back, as the manager would.
func compiles(t *testing.T, namespace, name string) {
	t.Helper()
	var endpoint v1alpha1.WebhookEndpoint
	if err := api.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: name}, &endpoint); err != nil {
		t.Fatal(err)
	}
	in := compile.Input{
		Endpoint: &endpoint, ExternalURL: "https://hooks.example.com", AssumeServices: true,
		Secret:         readSecret(t, namespace, endpoint.Spec.SecretRef.Name),
		SigningSecrets: map[string]*corev1.Secret{},
	}
	for _, target := range endpoint.Spec.Targets {
		if name := target.SigningSecretRef.Name; name != "" {
			in.SigningSecrets[name] = readSecret(t, namespace, name)
		}
	}
	result := compile.Endpoint(in)
	if len(result.Problems) > 0 || result.Route == nil {
		t.Errorf("endpoint %s: %v", name, result.Problems)
	}
}

func readSecret(t *testing.T, namespace, name string) *corev1.Secret {
	t.Helper()
	var secret corev1.Secret
	if err := api.Get(t.Context(), types.NamespacedName{Namespace: namespace, Name: name}, &secret); err != nil {
		t.Fatal(err)
	}
	return &secret
}

// Manifests that no API server has seen compile as those that one has.
func TestCompileHasTheDefaultsOfTheSchema(t *testing.T) {
	t.Parallel()
	documents := [2][]byte{}
	for i := range documents {
		o := object(t, v1alpha1.KindWebhookEndpoint, parse(t,
			`targets: [{service: {name: a, port: 80}, signingSecretRef: {name: b}}]`))
		if i > 0 {
			if err := create(t, o); err != nil {
				t.Fatal(err)
			}
		}
		var endpoint v1alpha1.WebhookEndpoint
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &endpoint); err != nil {
			t.Fatal(err)
		}
		endpoint.UID, endpoint.Generation = "1", 1
		key := &corev1.Secret{Data: map[string][]byte{"secret": []byte("whsec_MfKQ9r8GKYqrTwjUPD8I")}}
		result := compile.Endpoint(compile.Input{
			Endpoint: &endpoint, Secret: key, SigningSecrets: map[string]*corev1.Secret{"b": key}, AssumeServices: true,
		})
		if len(result.Problems) > 0 {
			t.Fatal(result.Problems)
		}
		var err error
		if documents[i], err = result.Route.Marshal(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(documents[0], documents[1]) {
		t.Errorf("without API server: %s\nwith API server: %s", documents[0], documents[1])
	}
}

// The kustomization lists every sample but the alternative receiver.
func TestKustomizationListsTheSamples(t *testing.T) {
	t.Parallel()
	manifest, err := os.ReadFile("../../config/samples/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	objects, err := kube.Decode(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var kustomization struct {
		Resources []string `json:"resources"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(objects[0].Object, &kustomization); err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{"hooks_v1alpha1_webhookreceiver_external.yaml": true}
	for _, name := range kustomization.Resources {
		listed[name] = true
	}
	files, err := filepath.Glob("../../config/samples/hooks_*.yaml")
	if err != nil || len(files) != len(listed) {
		t.Errorf("%d samples are listed, %d exist (%v)", len(listed), len(files), err)
	}
	for _, file := range files {
		if !listed[filepath.Base(file)] {
			t.Errorf("%s is not listed", file)
		}
	}
}
