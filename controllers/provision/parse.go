package provision

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
)

const kind = "WebhookReceiver"

// Parse reads the WebhookReceiver as JSON or YAML. Kind, namespace and name
// may be left out; a field that the kind does not have is an error.
func Parse(text, namespace string) (*unstructured.Unstructured, error) {
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("not a %s: %w", kind, err)
	}
	var typed v1alpha1.WebhookReceiver
	strict, err := json.UnmarshalStrict(data, &typed)
	if err := errors.Join(append(strict, err)...); err != nil {
		return nil, fmt.Errorf("not a %s: %w", kind, err)
	}
	if typed.Namespace != "" && typed.Namespace != namespace {
		return nil, fmt.Errorf("metadata.namespace is %q: receivers live in the system namespace, %q",
			typed.Namespace, namespace)
	}
	// What is applied is the text, not the typed object, whose unset fields
	// would be applied as well.
	receiver := &unstructured.Unstructured{}
	if err := json.UnmarshalCaseSensitivePreserveInts(data, &receiver.Object); err != nil {
		return nil, fmt.Errorf("not a %s: %w", kind, err)
	}
	want := v1alpha1.GroupVersion.WithKind(kind)
	if receiver.Object == nil {
		receiver.Object = map[string]any{}
	}
	if got := receiver.GroupVersionKind(); got != want && !got.Empty() {
		return nil, fmt.Errorf("it is a %s of %s, want a %s of %s",
			got.Kind, got.GroupVersion(), kind, want.GroupVersion())
	}
	receiver.SetGroupVersionKind(want)
	receiver.SetNamespace(namespace)
	if receiver.GetName() == "" {
		receiver.SetName(meta.DefaultReceiver)
	}
	unstructured.RemoveNestedField(receiver.Object, "status")
	return receiver, nil
}
