package resources

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	networkingv1ac "k8s.io/client-go/applyconfigurations/networking/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
)

// Ports of the receiver's container, by name and number.
const (
	portPublic       = "http"
	portPublicTLS    = "https"
	portInternal     = "internal"
	portPublicNumber = 8080
	// PortInternal serves probes, metrics, loaded routes and inspection.
	PortInternal = 8081
)

func (m *model) publicPortName() string {
	if m.tls() {
		return portPublicTLS
	}
	return portPublic
}

// publicService is what an Ingress, a Gateway or a load balancer points at.
func (m *model) publicService() *corev1ac.ServiceApplyConfiguration {
	service := m.spec.Service
	port := corev1ac.ServicePort().
		WithName(m.publicPortName()).
		WithProtocol(corev1.ProtocolTCP).
		WithPort(service.Port).
		WithTargetPort(intstr.FromString(m.publicPortName()))
	if service.NodePort != 0 {
		port.WithNodePort(service.NodePort)
	}
	spec := corev1ac.ServiceSpec().
		WithType(corev1.ServiceType(service.Type)).
		WithSelector(m.selector).
		WithPorts(port)
	if service.ExternalTrafficPolicy != "" {
		spec.WithExternalTrafficPolicy(corev1.ServiceExternalTrafficPolicy(service.ExternalTrafficPolicy))
	}
	if service.Type == v1alpha1.ServiceTypeLoadBalancer && service.LoadBalancerClass != "" {
		spec.WithLoadBalancerClass(service.LoadBalancerClass)
	}
	return corev1ac.Service(m.name, m.namespace).
		WithLabels(m.labels).
		WithAnnotations(service.Annotations).
		WithOwnerReferences(m.owner).
		WithSpec(spec)
}

// internalService is headless: each pod answers for its own store and table.
func (m *model) internalService() *corev1ac.ServiceApplyConfiguration {
	return corev1ac.Service(meta.InternalServiceName(m.receiver), m.namespace).
		WithLabels(m.labels).
		WithOwnerReferences(m.owner).
		WithSpec(corev1ac.ServiceSpec().
			WithType(corev1.ServiceTypeClusterIP).
			WithClusterIP(corev1.ClusterIPNone).
			WithSelector(m.selector).
			WithPorts(corev1ac.ServicePort().
				WithName(portInternal).
				WithProtocol(corev1.ProtocolTCP).
				WithPort(PortInternal).
				WithTargetPort(intstr.FromString(portInternal))))
}

// networkPolicy opens the public port to everybody and the internal one to the
// manager and to namespaces labelled metrics=enabled. It leaves egress alone:
// targets are Services on any port; the receiver's dialer keeps the deny-list.
func (m *model) networkPolicy() *networkingv1ac.NetworkPolicyApplyConfiguration {
	manager := networkingv1ac.NetworkPolicyPeer().
		WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{
			meta.LabelName:      meta.AppName,
			meta.LabelComponent: meta.ComponentManager,
		}))
	monitoring := networkingv1ac.NetworkPolicyPeer().
		WithNamespaceSelector(metav1ac.LabelSelector().WithMatchLabels(map[string]string{"metrics": "enabled"}))
	return networkingv1ac.NetworkPolicy(m.name, m.namespace).
		WithLabels(m.labels).
		WithOwnerReferences(m.owner).
		WithSpec(networkingv1ac.NetworkPolicySpec().
			WithPodSelector(metav1ac.LabelSelector().WithMatchLabels(m.selector)).
			WithPolicyTypes(networkingv1.PolicyTypeIngress).
			WithIngress(
				networkingv1ac.NetworkPolicyIngressRule().WithPorts(tcp(m.publicPortName())),
				networkingv1ac.NetworkPolicyIngressRule().WithFrom(manager, monitoring).WithPorts(tcp(portInternal)),
			))
}

func tcp(port string) *networkingv1ac.NetworkPolicyPortApplyConfiguration {
	return networkingv1ac.NetworkPolicyPort().
		WithProtocol(corev1.ProtocolTCP).
		WithPort(intstr.FromString(port))
}
