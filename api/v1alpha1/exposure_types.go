package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// ReceiverTLS makes the receiver serve HTTPS itself.
type ReceiverTLS struct {
	// secretName names the kubernetes.io/tls Secret of this namespace; a renewed
	// certificate is used without a restart.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a kubernetes.io/tls Secret in this namespace"
	SecretName string `json:"secretName,omitempty"`
}

// ReceiverService is how the receiver is exposed.
//
// +kubebuilder:validation:XValidation:rule="!has(self.nodePort) || (has(self.type) && self.type != 'ClusterIP')",message="`nodePort` needs `type: NodePort` or `LoadBalancer`",fieldPath=".nodePort",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="!has(self.externalTrafficPolicy) || (has(self.type) && self.type != 'ClusterIP')",message="`externalTrafficPolicy` needs `type: NodePort` or `LoadBalancer`",fieldPath=".externalTrafficPolicy",reason=FieldValueForbidden
// +kubebuilder:validation:XValidation:rule="!has(self.loadBalancerClass) || (has(self.type) && self.type == 'LoadBalancer')",message="`loadBalancerClass` needs `type: LoadBalancer`",fieldPath=".loadBalancerClass",reason=FieldValueForbidden
type ReceiverService struct {
	// type of the Service.
	// +optional
	// +default="ClusterIP"
	Type ServiceType `json:"type,omitempty"`

	// annotations of the Service, for load balancers.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`

	// port of the Service; 443 is usual with tls.
	// +optional
	// +default=80
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`

	// nodePort asks for a certain port on the nodes.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	NodePort int32 `json:"nodePort,omitempty"`

	// externalTrafficPolicy Local keeps the clients' addresses, which allowedIPRanges need.
	// +optional
	ExternalTrafficPolicy ExternalTrafficPolicy `json:"externalTrafficPolicy,omitempty"`

	// loadBalancerClass picks the load balancer's implementation.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	LoadBalancerClass string `json:"loadBalancerClass,omitempty"`
}

// ServiceType is how a Service is reached.
//
// +kubebuilder:validation:Enum=ClusterIP;NodePort;LoadBalancer
type ServiceType string

// Service types.
const (
	ServiceTypeClusterIP    ServiceType = "ClusterIP"
	ServiceTypeNodePort     ServiceType = "NodePort"
	ServiceTypeLoadBalancer ServiceType = "LoadBalancer"
)

// ExternalTrafficPolicy says whether traffic may cross nodes before it reaches a pod.
//
// +kubebuilder:validation:Enum=Cluster;Local
type ExternalTrafficPolicy string

// PodTemplate is added to the receiver's pods.
//
// +kubebuilder:validation:MinProperties=1
type PodTemplate struct {
	// labels of the pods; Postern's own labels win.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Labels map[string]string `json:"labels,omitempty"`

	// annotations of the pods; Postern's own annotations win.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	Annotations map[string]string `json:"annotations,omitempty"`

	// nodeSelector of the pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// tolerations of the pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// affinity of the pods.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`

	// topologySpreadConstraints of the pods.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	TopologySpreadConstraints []corev1.TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`

	// priorityClassName of the pods.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// runtimeClassName of the pods.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	RuntimeClassName string `json:"runtimeClassName,omitempty"`
}
