package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WebhookReceiver is the shared receiver that serves WebhookEndpoints: how many
// pods, how they are exposed and where they keep accepted events.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:storageversion
// +kubebuilder:resource:scope=Namespaced,shortName=whr,categories=postern
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Pods",type=integer,JSONPath=`.status.readyReplicas`
// +kubebuilder:printcolumn:name="Endpoints",type=integer,JSONPath=`.status.endpoints`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.externalURL`
// +kubebuilder:printcolumn:name="Guarantee",type=string,priority=1,JSONPath=`.status.guarantee`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type WebhookReceiver struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object metadata.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the receiver as it shall be; everything has a default.
	// +optional
	// +default={}
	Spec WebhookReceiverSpec `json:"spec,omitzero"`

	// status is what the controllers observed.
	// +optional
	Status WebhookReceiverStatus `json:"status,omitzero"`
}

// WebhookReceiverList is a list of WebhookReceivers.
//
// +kubebuilder:object:root=true
type WebhookReceiverList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []WebhookReceiver `json:"items"`
}

// WebhookReceiverSpec is the receiver as it shall be.
//
// +kubebuilder:validation:XValidation:rule="!has(self.replicas) || self.replicas <= 1 || (has(self.store) && has(self.store.type) && self.store.type == 'External')",message="`replicas` above 1 needs `store.type: External`: several pods with a store of their own each would not recognise each other's duplicates",fieldPath=".replicas"
// +kubebuilder:validation:XValidation:rule="!has(self.terminationGracePeriodSeconds) || !has(self.shutdownDelaySeconds) || self.terminationGracePeriodSeconds > self.shutdownDelaySeconds",message="`terminationGracePeriodSeconds` (default 60) must be above `shutdownDelaySeconds` (default 5): what remains is the time to finish requests and deliveries",fieldPath=".terminationGracePeriodSeconds"
type WebhookReceiverSpec struct {
	// replicas is the number of receiver pods; above 1 it needs an external store.
	// +optional
	// +default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Replicas *int32 `json:"replicas,omitempty"`

	// image is the receiver's image; the default is the manager's own.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Image string `json:"image,omitempty"`

	// imagePullPolicy is when images are pulled; the default is Kubernetes' own.
	// +optional
	ImagePullPolicy PullPolicy `json:"imagePullPolicy,omitempty"`

	// imagePullSecrets name Secrets of this namespace with registry credentials.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	ImagePullSecrets []LocalSecretReference `json:"imagePullSecrets,omitempty"`

	// resources of the receiver container.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`

	// store is where accepted events are kept until they are delivered.
	// +optional
	// +default={}
	Store Store `json:"store,omitzero"`

	// trustedProxies are the addresses whose X-Forwarded-For is believed: the client is
	// the right-most address that is not one of them. Empty believes nobody.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=64
	TrustedProxies []IPRange `json:"trustedProxies,omitempty"`

	// externalURL is how providers reach the receiver; endpoint URLs start with it.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="self == '' || (isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('?') && !self.contains('#') && !self.contains('@') && !self.endsWith('/'))",message="must be the public URL without slash at the end, query or credentials, such as https://hooks.example.com"
	ExternalURL string `json:"externalURL,omitempty"`

	// shutdownDelaySeconds is how long a stopping pod goes on serving, until load
	// balancers have noticed.
	// +optional
	// +default=5
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=300
	ShutdownDelaySeconds *int32 `json:"shutdownDelaySeconds,omitempty"`

	// terminationGracePeriodSeconds is how long a stopping pod may take in all.
	// +optional
	// +default=60
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	TerminationGracePeriodSeconds int32 `json:"terminationGracePeriodSeconds,omitempty"`

	// tls makes the receiver serve HTTPS itself.
	// +optional
	TLS ReceiverTLS `json:"tls,omitzero"`

	// service is how the receiver is exposed.
	// +optional
	// +default={}
	Service ReceiverService `json:"service,omitzero"`

	// podTemplate is added to the receiver's pods.
	// +optional
	PodTemplate PodTemplate `json:"podTemplate,omitzero"`

	// namespaceLimits bound what each namespace may use; absent means at most 200
	// endpoints and no other limit.
	// +optional
	NamespaceLimits NamespaceLimits `json:"namespaceLimits,omitzero"`

	// tracing tells an OpenTelemetry collector what becomes of requests and events.
	// Absent, nothing is traced.
	// +optional
	Tracing Tracing `json:"tracing,omitzero"`

	// logLevel is the least severe level that is logged.
	// +optional
	// +default="Info"
	LogLevel LogLevel `json:"logLevel,omitempty"`
}

// WebhookReceiverStatus is what the controllers observed.
type WebhookReceiverStatus struct {
	// conditions are Accepted, Deployed, Available, Admitting, CertificateValid, Durable and
	// the summary Ready.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// observedGeneration is the generation of the spec that this status describes.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// replicas is the number of pods that exist.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas int32 `json:"replicas,omitempty"`

	// readyReplicas is the number of pods that serve.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ReadyReplicas *int32 `json:"readyReplicas,omitempty"`

	// selector selects the receiver's pods, for the scale subresource.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Selector string `json:"selector,omitempty"`

	// guarantee is the sentence that says what a 2xx means with this store.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Guarantee string `json:"guarantee,omitempty"`

	// endpoints is the number of WebhookEndpoints that have a route.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Endpoints *int32 `json:"endpoints,omitempty"`
}

// PullPolicy is when an image is pulled.
//
// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
type PullPolicy string

// LogLevel is the least severe level that is logged.
//
// +kubebuilder:validation:Enum=Debug;Info;Warn;Error
type LogLevel string

// Log levels.
const (
	LogLevelDebug LogLevel = "Debug"
	LogLevelInfo  LogLevel = "Info"
	LogLevelWarn  LogLevel = "Warn"
	LogLevelError LogLevel = "Error"
)

// LocalSecretReference names a Secret in the same namespace.
type LocalSecretReference struct {
	// name is the Secret's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name,omitempty"`
}
