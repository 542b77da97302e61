package compile_test

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
)

var created = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// github is an input without any problem, to be spoilt by tests.
func github() compile.Input {
	builder := service("ci", "builder", corev1.ServicePort{Name: "http", Port: 80})
	return compile.Input{
		ExternalURL: "https://hooks.example.com",
		Endpoint: &v1alpha1.WebhookEndpoint{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: "ci", Name: "github", UID: "7d1c", Generation: 3, CreationTimestamp: metav1.NewTime(created),
			},
			Spec: v1alpha1.WebhookEndpointSpec{
				Source:    v1alpha1.Source{Provider: "github"},
				SecretRef: v1alpha1.SecretKeysReference{Name: "github-webhook"},
				Targets:   []v1alpha1.Target{target("builder", intstr.FromInt32(80))},
			},
		},
		Secret:         secret("github-webhook", "41", map[string]string{"secret": "It's a Secret to Everybody"}),
		SigningSecrets: map[string]*corev1.Secret{},
		Services:       map[types.NamespacedName]*corev1.Service{{Namespace: "ci", Name: "builder"}: builder},
	}
}

func target(service string, port intstr.IntOrString) v1alpha1.Target {
	return v1alpha1.Target{Service: v1alpha1.ServiceReference{Name: service, Port: port}}
}

func secret(name, version string, values map[string]string) *corev1.Secret {
	s := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: name, ResourceVersion: version},
		Data:       map[string][]byte{},
	}
	for key, value := range values {
		s.Data[key] = []byte(value)
	}
	return s
}

func service(namespace, name string, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       corev1.ServiceSpec{Ports: ports},
	}
}

// grant consents that endpoints of ci use Services of the namespace.
func grant(namespace string) gatewayv1beta1.ReferenceGrant {
	return gatewayv1beta1.ReferenceGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "hooks"},
		Spec: gatewayv1.ReferenceGrantSpec{
			From: []gatewayv1.ReferenceGrantFrom{
				{Group: "hooks.postern.dev", Kind: "WebhookEndpoint", Namespace: "ci"},
			},
			To: []gatewayv1.ReferenceGrantTo{{Kind: "Service"}},
		},
	}
}
