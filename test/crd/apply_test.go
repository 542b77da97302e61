package crd_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// minimal is the smallest endpoint; tests replace fields of its spec.
const minimal = `
source: {provider: github}
secretRef: {name: github-webhook}
targets:
- service: {name: builder, port: 80}
`

// object returns an object of the kind whose spec is accepted, with the fields
// of change in place of its own; null takes a field away.
func object(t *testing.T, kind string, change map[string]any) *unstructured.Unstructured {
	t.Helper()
	spec := map[string]any{}
	switch kind {
	case v1alpha1.KindWebhookEndpoint:
		spec = parse(t, minimal)
	case v1alpha1.KindWebhookReplay:
		spec = parse(t, "endpointRef: {name: github}")
	}
	maps.Copy(spec, change)
	maps.DeleteFunc(spec, func(_ string, value any) bool { return value == nil })
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(),
		"kind":       kind,
		"metadata":   map[string]any{"namespace": "default", "name": "test"},
		"spec":       spec,
	}}
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	fields := map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(text), &fields); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return fields
}

// create has the API server judge the object; nothing is stored.
func create(t *testing.T, o *unstructured.Unstructured) error {
	t.Helper()
	return client.WithFieldValidation(api, "Strict").Create(t.Context(), o, client.DryRunAll)
}

// causes lists why an object is refused, without the API server's note that it
// looked no further.
func causes(err error) []string {
	var messages []string
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok && status.ErrStatus.Details != nil {
		for _, cause := range status.ErrStatus.Details.Causes {
			if !strings.Contains(cause.Message, "some validation rules were not checked") {
				messages = append(messages, cause.Message)
			}
		}
	}
	return messages
}

func acceptAll(t *testing.T, kind string, changes []string) {
	t.Helper()
	for _, change := range changes {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			if err := create(t, object(t, kind, parse(t, change))); err != nil {
				t.Error(err)
			}
		})
	}
}
