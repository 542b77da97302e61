package compile

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// portReference is a port's number or name.
type portReference = intstr.IntOrString

// apiServer is the Service of the Kubernetes API.
var apiServer = types.NamespacedName{Namespace: "default", Name: "kubernetes"}

// forbidden says why a Service may not be a target, or nothing. The receiver
// stands behind other network policies than the tenant: it must not become the
// tenant's way to the API server or to names outside the cluster. Services
// without selector are no such way as long as their endpoints are not the
// tenant's to write, which Kubernetes' own roles see to.
func forbidden(name types.NamespacedName, service *corev1.Service) (reason, message string) {
	switch {
	case name == apiServer:
		return v1alpha1.ReasonServiceForbidden, "the Kubernetes API server may not be a target"
	case service != nil && service.Spec.Type == corev1.ServiceTypeExternalName:
		return v1alpha1.ReasonExternalNameForbidden, fmt.Sprintf(
			"Service %s is of type ExternalName, which leads anywhere; point to a Service of pods instead", name)
	}
	return "", ""
}

// resolvePort returns the number of the port to connect to, or a message why
// there is none and what happens meanwhile.
func resolvePort(service *corev1.Service, want portReference, meanwhile string) (number int, message string) {
	for _, port := range service.Spec.Ports {
		if !isPort(port, want) {
			continue
		}
		if port.Protocol != "" && port.Protocol != corev1.ProtocolTCP {
			return 0, fmt.Sprintf("port %s of Service %s/%s is %s; webhooks need TCP",
				want.String(), service.Namespace, service.Name, port.Protocol)
		}
		return connectPort(service, port)
	}
	return 0, fmt.Sprintf("Service %s/%s has no port %s: %s until it has; %s",
		service.Namespace, service.Name, want.String(), meanwhile, portsOf(service))
}

func isPort(port corev1.ServicePort, want portReference) bool {
	if want.Type == intstr.String {
		return port.Name == want.StrVal
	}
	return port.Port == want.IntVal
}

// connectPort returns the port behind a headless Service: its name leads to
// the pods themselves, and nothing translates the port on the way.
func connectPort(service *corev1.Service, port corev1.ServicePort) (number int, message string) {
	if service.Spec.ClusterIP != corev1.ClusterIPNone {
		return int(port.Port), ""
	}
	if port.TargetPort.Type == intstr.String && port.TargetPort.StrVal != "" {
		return 0, fmt.Sprintf("headless Service %s/%s gives port %d the target port %q by name; write its number there",
			service.Namespace, service.Name, port.Port, port.TargetPort.StrVal)
	}
	if port.TargetPort.IntVal != 0 {
		return int(port.TargetPort.IntVal), ""
	}
	return int(port.Port), ""
}

func portsOf(service *corev1.Service) string {
	if len(service.Spec.Ports) == 0 {
		return "it has none"
	}
	var ports []string
	for _, port := range service.Spec.Ports {
		text := fmt.Sprint(port.Port)
		if port.Name != "" {
			text += " (" + port.Name + ")"
		}
		ports = append(ports, text)
	}
	return "it has " + strings.Join(ports, ", ")
}

// assumedPort is the port of a Service that nobody can look at.
func assumedPort(want portReference) int {
	if want.Type == intstr.Int {
		return want.IntValue()
	}
	return 80
}
