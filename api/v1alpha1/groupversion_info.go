package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the group and version of the types in this package.
var GroupVersion = schema.GroupVersion{Group: "hooks.postern.dev", Version: "v1alpha1"}

var (
	// SchemeBuilder collects the functions that add this package's types to a scheme.
	SchemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme adds this package's types to a scheme.
	AddToScheme = SchemeBuilder.AddToScheme
)

// Kinds of this API.
const (
	KindWebhookEndpoint = "WebhookEndpoint"
	KindWebhookReceiver = "WebhookReceiver"
	KindWebhookReplay   = "WebhookReplay"
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion,
		&WebhookEndpoint{}, &WebhookEndpointList{},
		&WebhookReceiver{}, &WebhookReceiverList{},
		&WebhookReplay{}, &WebhookReplayList{},
	)
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
