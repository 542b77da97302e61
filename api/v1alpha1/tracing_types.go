package v1alpha1

// Tracing says where traces go and which are recorded.
type Tracing struct {
	// endpoint is the base URL of a collector that takes traces by OTLP/HTTP, such as
	// http://collector.observability:4318.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="isURL(self) && url(self).getScheme() in ['http', 'https'] && url(self).getHostname() != '' && !self.contains('?') && !self.contains('#') && !self.contains('@')",message="must be a URL without query or credentials, such as http://collector.observability:4318"
	Endpoint string `json:"endpoint,omitempty"`

	// samplingRatePerMillion is how many of a million traces are recorded. It decides
	// where the sender does not: a verified request with a trace context keeps to that.
	// +optional
	// +default=100000
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	SamplingRatePerMillion *int32 `json:"samplingRatePerMillion,omitempty"`

	// headersSecretRef names a Secret of this namespace whose key holds headers for the
	// collector, such as a token, as name=value pairs with commas between them.
	// +optional
	HeadersSecretRef SecretKeyReference `json:"headersSecretRef,omitzero"`
}
