package crd_test

import (
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/verify"
)

func TestEndpointRefusals(t *testing.T) {
	t.Parallel()
	refusals{
		`source: {}`: "exactly one of `provider` and `scheme` must be set",
		`source: {provider: github, scheme: {algorithm: BasicAuth}}`:      "exactly one of `provider` and `scheme` must be set",
		`source: {provider: GitHub}`:                                      "must be a provider's name in lower case with dashes",
		`source: {provider: github, enforcement: Log}`:                    `supported values: "Enforce", "Audit"`,
		`source: {provider: github, toleranceSeconds: 0}`:                 "should be greater than or equal to 1",
		`source: {provider: github, options: {}}`:                         "should have at least 1 properties",
		`{source: {provider: none, enforcement: Audit}, secretRef: null}`: "`source.enforcement: Audit` has nothing to audit",
		`secretRef: null`:                                         "`secretRef` must name the Secret that holds the signing secret",
		`{source: {provider: none}}`:                              "`secretRef` may not be set with `source.provider: none`",
		`secretRef: {}`:                                           "spec.secretRef.name: Required value",
		`secretRef: {name: Not_A_Name}`:                           "must be the name of a Secret in this namespace",
		`secretRef: {name: a, keys: []}`:                          "should have at least 1 items",
		`secretRef: {name: a, keys: [b, b]}`:                      "must not name a key twice",
		`secretRef: {name: a, keys: ["sec ret"]}`:                 "must be the name of a key in the Secret",
		`secretRef: {name: a, namespace: b}`:                      `unknown field "spec.secretRef.namespace"`,
		`hosts: ["hooks.example.com:443"]`:                        "must be a host name in lower case without scheme, port or wildcard",
		`hosts: [Hooks.example.com]`:                              "must be a host name in lower case",
		`hosts: [a.example, a.example]`:                           "Duplicate value",
		`path: default/github`:                                    "must be a plain path that starts with /<namespace>/",
		`path: /default`:                                          "must be a plain path that starts with /<namespace>/",
		`path: /default/`:                                         "no slash at the end",
		`path: /default//a`:                                       "no empty segment",
		`path: /default/a?b=c`:                                    "no query",
		`path: /default/%2e%2e/a`:                                 "no percent-encoding",
		`path: /default/../a`:                                     "must not contain the segments . or ..",
		`path: /default/.`:                                        "must not contain the segments . or ..",
		`allowedIPRanges: [10.0.0.0/33]`:                          "must be a CIDR such as 192.30.252.0/22",
		`allowedIPRanges: [example.com]`:                          "must be a CIDR such as 192.30.252.0/22",
		`allowedIPRanges: ["::ffff:10.0.0.1"]`:                    "must be a CIDR such as",
		`allowedIPRanges: ["fe80::1%eth0"]`:                       "must be a CIDR such as",
		`allowedIPRanges: [10.1.2.3/8]`:                           "must start at the first address of its range",
		`maxBodyBytes: 0`:                                         "should be greater than or equal to 1",
		`maxBodyBytes: 26214401`:                                  "should be less than or equal to 26214400",
		`rateLimit: {burst: 5}`:                                   "spec.rateLimit.requestsPerSecond: Required value",
		`rateLimit: {requestsPerSecond: 0}`:                       "should be greater than or equal to 1",
		`deduplication: {}`:                                       "should have at least 1 properties",
		`deduplication: {windowSeconds: -1}`:                      "should be greater than or equal to 0",
		`deduplication: {replayGuard: Header}`:                    `supported values: "None", "Body"`,
		`deduplication: {windowSeconds: 0, key: a}`:               "`key` may not be set with `windowSeconds: 0`",
		`deduplication: {windowSeconds: 0, replayGuard: Body}`:    "`replayGuard: Body` needs a `windowSeconds` above 0",
		`delivery: Later`:                                         `supported values: "Queued", "Direct"`,
		`{delivery: Direct, suspend: true}`:                       "`suspend` may not be set with `delivery: Direct`",
		`retry: {maxBackoffSeconds: 1, initialBackoffSeconds: 2}`: "`maxBackoffSeconds` (default 600) must be at least",
		`retry: {initialBackoffSeconds: 601}`:                     "`maxBackoffSeconds` (default 600) must be at least",
		`retry: {maxAgeSeconds: 0}`:                               "should be greater than or equal to 1",
		`history: {limit: -1}`:                                    "should be greater than or equal to 0",
		`colour: red`:                                             `unknown field "spec.colour"`,
	}.run(t, v1alpha1.KindWebhookEndpoint, minimal)
}

func TestTargetRefusals(t *testing.T) {
	t.Parallel()
	refusals{
		`targets: []`:   "should have at least 1 items",
		`targets: null`: "spec.targets: Required value",
		`{delivery: Direct, targets: [{name: a, service: {name: s, port: 80}}, {name: b, service: {name: s, port: 80}}]}`: "needs exactly one entry in `targets`",
		`targets: [{service: {name: a, port: 80}}, {name: a, service: {name: b, port: 80}}]`:                              "target names must be unique",
		`targets: [{service: {name: a, port: 80}}, {service: {name: b, port: 80}}]`:                                       `Duplicate value: {"name":""}`,
		`targets: [{name: A, service: {name: a, port: 80}}]`:                                                              "must be a name in lower case letters, digits and dashes",
		`targets: [{}]`:                                                            "spec.targets[0].service: Required value",
		`targets: [{service: {name: a}}]`:                                          "spec.targets[0].service.port: Required value",
		`targets: [{service: {name: a.b, port: 80}}]`:                              "write its namespace in `namespace`",
		`targets: [{service: {name: a, namespace: B, port: 80}}]`:                  "must be the name of a namespace",
		`targets: [{service: {name: a, port: 0}}]`:                                 "must be a port number between 1 and 65535",
		`targets: [{service: {name: a, port: 65536}}]`:                             "must be a port number between 1 and 65535",
		`targets: [{service: {name: a, port: "HTTP"}}]`:                            "or the name of a port of the Service",
		`targets: [{service: {name: a, port: "a-very-long-port-name"}}]`:           "spec.targets[0].service.port: Too long",
		`targets: [{service: {name: a, port: 80}, path: hooks}]`:                   "must start with a slash",
		`targets: [{service: {name: a, port: 80}, path: "/a?b"}]`:                  "have no query or fragment",
		`targets: [{service: {name: a, port: 80}, path: /a/../b}]`:                 "must not contain the segments . or ..",
		`targets: [{service: {name: a, port: 80}, eventTypes: [""]}]`:              "should be at least 1 chars long",
		`targets: [{service: {name: a, port: 80}, format: XML}]`:                   `supported values: "Original", "CloudEvents"`,
		`targets: [{service: {name: a, port: 80}, signingSecretRef: {key: b}}]`:    "signingSecretRef.name: Required value",
		`targets: [{service: {name: a, port: 80}, timeoutSeconds: 301}]`:           "should be less than or equal to 300",
		`targets: [{service: {name: a, port: 80}, maxInFlight: 0}]`:                "should be greater than or equal to 1",
		`targets: [{service: {name: a, port: 80}, url: "http://169.254.169.254"}]`: `unknown field "spec.targets[0].url"`,
	}.run(t, v1alpha1.KindWebhookEndpoint, minimal)
}

func TestEndpointAcceptance(t *testing.T) {
	t.Parallel()
	acceptAll(t, v1alpha1.KindWebhookEndpoint, minimal, []string{
		``,
		`{source: {provider: none}, secretRef: null}`,
		`{source: {provider: paypal, options: {webhookID: "5GP028458E2496506"}}, secretRef: null}`,
		`path: /default/some/deeper.path_with~signs`,
		`path: /default/..hidden`,
		`allowedIPRanges: [192.30.252.0/22, "2a0a:a440::/29", 203.0.113.7, "2001:db8::1", 0.0.0.0/0]`,
		`deduplication: {windowSeconds: 0}`,
		`history: {limit: 0}`,
		`rateLimit: {requestsPerSecond: 100, burst: 200}`,
		`targets: [{service: {name: a, port: http-web}}, {name: b, service: {name: a, namespace: other, port: 65535}}]`,
		`{delivery: Direct, suspend: false}`,
	})
}

func TestEndpointDefaults(t *testing.T) {
	t.Parallel()
	o := object(t, v1alpha1.KindWebhookEndpoint, minimal, ``)
	if err := create(t, o); err != nil {
		t.Fatal(err)
	}
	var got v1alpha1.WebhookEndpoint
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &got); err != nil {
		t.Fatal(err)
	}
	want := v1alpha1.WebhookEndpointSpec{
		Source:       v1alpha1.Source{Provider: "github", Enforcement: v1alpha1.EnforcementEnforce},
		SecretRef:    v1alpha1.SecretKeysReference{Name: "github-webhook", Keys: []v1alpha1.SecretKey{"secret"}},
		MaxBodyBytes: 1048576,
		Delivery:     v1alpha1.DeliveryQueued,
		Retry:        v1alpha1.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 600, MaxAgeSeconds: 259200},
		History:      v1alpha1.History{Limit: new(int32(100))},
		Targets: []v1alpha1.Target{{
			Service: got.Spec.Targets[0].Service, Path: "/", Format: v1alpha1.TargetFormatOriginal,
			TimeoutSeconds: 15, MaxInFlight: 32,
		}},
	}
	if !reflect.DeepEqual(got.Spec, want) {
		t.Errorf("got  %+v\nwant %+v", got.Spec, want)
	}
}

// The schema lets an endpoint of a provider that needs no Secret through; which
// those are is known to package verify alone.
func TestProvidersWithoutSecretAreAccepted(t *testing.T) {
	t.Parallel()
	for _, preset := range verify.Presets() {
		if preset.Secret == verify.SecretRequired {
			continue
		}
		o := object(t, v1alpha1.KindWebhookEndpoint, minimal, `secretRef: null`)
		source := map[string]any{"provider": preset.Name}
		if options := exampleOptions(preset); len(options) > 0 {
			source["options"] = options
		}
		o.Object["spec"].(map[string]any)["source"] = source
		if err := create(t, o); err != nil {
			t.Errorf("provider %s: %v", preset.Name, err)
		}
	}
}

func exampleOptions(preset verify.Preset) map[string]any {
	options := map[string]any{}
	for _, option := range preset.NeededOptions {
		options[option.Name] = "value"
	}
	for _, option := range preset.OptionalOptions {
		options[option.Name] = "value"
	}
	return options
}
