package crd_test

import (
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

func TestEndpointAcceptance(t *testing.T) {
	t.Parallel()
	acceptAll(t, v1alpha1.KindWebhookEndpoint, []string{
		``,
		`{source: {provider: none}, secretRef: null}`,
		`{source: {provider: paypal, options: {webhookID: "5GP028458E2496506"}}, secretRef: null}`,
		`path: /default/some/deeper.path_with~signs`,
		`path: /default/..hidden`,
		`allowedIPRanges: [192.30.252.0/22, "2a0a:a440::/29", 203.0.113.7, "2001:db8::1", 0.0.0.0/0]`,
		`{source: {provider: none}, secretRef: null, methods: [GET, DELETE]}`,
		`{source: {scheme: {algorithm: BasicAuth}}, methods: [POST, GET]}`,
		`deduplication: {windowSeconds: 0}`,
		`history: {limit: 0}`,
		`rateLimit: {requestsPerSecond: 100, burst: 200}`,
		`targets: [{service: {name: a, port: http-web}}, {name: b, service: {name: a, namespace: other, port: 65535}}]`,
		`{delivery: Direct, suspend: false}`,
	})
}

func TestEndpointDefaults(t *testing.T) {
	t.Parallel()
	o := object(t, v1alpha1.KindWebhookEndpoint, nil)
	if err := create(t, o); err != nil {
		t.Fatal(err)
	}
	var got v1alpha1.WebhookEndpoint
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &got); err != nil {
		t.Fatal(err)
	}
	want := v1alpha1.WebhookEndpointSpec{
		Source:    v1alpha1.Source{Provider: "github", Enforcement: v1alpha1.EnforcementEnforce},
		SecretRef: v1alpha1.SecretKeysReference{Name: "github-webhook", Keys: []v1alpha1.SecretKey{"secret"}},
		Delivery:  v1alpha1.DeliveryQueued,
		Retry:     v1alpha1.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 600, MaxAgeSeconds: 259200},
		History:   v1alpha1.History{Limit: new(int32(100))},
		Targets: []v1alpha1.Target{{
			Service: got.Spec.Targets[0].Service, Path: "/", Format: v1alpha1.TargetFormatOriginal,
			TimeoutSeconds: 15, MaxInFlight: 32,
		}},
	}
	if !reflect.DeepEqual(got.Spec, want) {
		t.Errorf("got  %+v\nwant %+v", got.Spec, want)
	}
}

// The schema lets endpoints through whose provider needs neither Secret nor
// option; which those are is known to package verify alone.
func TestProvidersThatNeedNothingAreAccepted(t *testing.T) {
	t.Parallel()
	for _, preset := range verify.Presets() {
		for _, name := range append([]string{preset.Name}, preset.Aliases...) {
			source := route.Source{Provider: name, Enforcement: route.EnforcementEnforce}
			_, err := verify.Compile(verify.Config{Source: source, URL: "https://hooks.example.com/default/test"})
			refusal := create(t, object(t, v1alpha1.KindWebhookEndpoint, map[string]any{
				"source": map[string]any{"provider": name}, "secretRef": nil,
			}))
			if (err == nil) != (refusal == nil) {
				t.Errorf("provider %s: the receiver says %v, the API server says %v", name, err, refusal)
			}
		}
	}
}
