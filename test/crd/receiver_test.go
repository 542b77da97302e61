package crd_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/postern-dev/postern/api/v1alpha1"
)

const external = `type: External, external: {urlSecretRef: {name: redis}}`

func TestReceiverAcceptance(t *testing.T) {
	t.Parallel()
	acceptAll(t, v1alpha1.KindWebhookReceiver, []string{
		``,
		`replicas: 0`,
		`{replicas: 3, store: {` + external + `}}`,
		`store: {sidecar: {persistence: {type: EmptyDir, size: 1Gi}, maxMemory: 512Mi}}`,
		`store: {sidecar: {persistence: {storageClassName: "", accessModes: [ReadWriteOncePod]}}}`,
		`store: {allowWeakDurability: true}`,
		`externalURL: "https://hooks.example.com:8443/in"`,
		`externalURL: "http://[2001:db8::1]:8080"`,
		`{shutdownDelaySeconds: 0, terminationGracePeriodSeconds: 1}`,
		`service: {type: LoadBalancer, port: 443, externalTrafficPolicy: Local, loadBalancerClass: a/b, nodePort: 30443}`,
		`namespaceLimits: {maxEndpoints: 50, rateLimit: {requestsPerSecond: 500}, maxStoredBytes: 64Mi}`,
		`podTemplate: {nodeSelector: {a: b}, tolerations: [{operator: Exists}], priorityClassName: high}`,
	})
}

func TestReceiverDefaults(t *testing.T) {
	t.Parallel()
	o := object(t, v1alpha1.KindWebhookReceiver, nil)
	delete(o.Object, "spec")
	if err := create(t, o); err != nil {
		t.Fatal(err)
	}
	var got v1alpha1.WebhookReceiver
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &got); err != nil {
		t.Fatal(err)
	}
	spec := got.Spec
	if *spec.Replicas != 1 || spec.Store.Type != v1alpha1.StoreTypeSidecar || *spec.ShutdownDelaySeconds != 5 ||
		spec.TerminationGracePeriodSeconds != 60 || spec.Service.Type != v1alpha1.ServiceTypeClusterIP ||
		spec.Service.Port != 80 || spec.LogLevel != v1alpha1.LogLevelInfo {
		t.Errorf("got %+v", spec)
	}
}
