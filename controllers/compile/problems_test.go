package compile_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
)

type problemTest struct {
	spoil func(*compile.Input)
	want  compile.Problem
}

func onSpec(change func(*v1alpha1.WebhookEndpointSpec)) func(*compile.Input) {
	return func(in *compile.Input) { change(&in.Endpoint.Spec) }
}

func path(text string) func(*compile.Input) {
	return onSpec(func(spec *v1alpha1.WebhookEndpointSpec) { spec.Path = text })
}

func refusal(reason, field, message string) compile.Problem {
	return compile.Problem{Condition: v1alpha1.ConditionAccepted, Reason: reason, Field: field, Message: message}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	type spec = v1alpha1.WebhookEndpointSpec
	run(t, map[string]problemTest{
		"path of another namespace": {path("/prod/github"), refusal("InvalidPath", "spec.path", `must start with /ci/`)},
		"path of a longer prefix":   {path("/ci-2/github"), refusal("InvalidPath", "spec.path", `must start with /ci/`)},
		"path with a query":         {path("/ci/a?b"), refusal("InvalidPath", "spec.path", `must have no query`)},
		"path with percent":         {path("/ci/%2e%2e/a"), refusal("InvalidPath", "spec.path", `percent-encoding`)},
		"path with dots":            {path("/ci/../prod/a"), refusal("InvalidPath", "spec.path", `segments . or ..`)},
		"path with a dot":           {path("/ci/./a"), refusal("InvalidPath", "spec.path", `segments . or ..`)},
		"path with empty segment":   {path("/ci//a"), refusal("InvalidPath", "spec.path", `empty segment`)},
		"path with slash at end":    {path("/ci/a/"), refusal("InvalidPath", "spec.path", `slash at the end`)},
		"path is just the prefix":   {path("/ci/"), refusal("InvalidPath", "spec.path", `slash at the end`)},
		"path taken": {func(in *compile.Input) {
			in.Holder = github().Endpoint
			in.Holder.Name = "older"
		}, refusal("PathConflict", "spec.path", "belongs to the older endpoint ci/older")},
		"no place in the namespace": {func(in *compile.Input) { in.MaxEndpoints = 20 },
			refusal("NamespaceLimitExceeded", "metadata.namespace", "namespace ci has its 20 endpoints")},
		"host with port": {onSpec(func(s *spec) { s.Hosts = []v1alpha1.Hostname{"a.example:80"} }),
			refusal("InvalidHost", "spec.hosts[0]", "without scheme, port or wildcard")},
		"host in capitals": {onSpec(func(s *spec) { s.Hosts = []v1alpha1.Hostname{"a.example", "B.example"} }),
			refusal("InvalidHost", "spec.hosts[1]", "in lower case")},
		"unknown provider": {onSpec(func(s *spec) { s.Source.Provider = "gihtub" }),
			refusal("UnknownProvider", "spec.source.provider", "did you mean github")},
		"unknown option": {onSpec(func(s *spec) { s.Source.Options = map[string]v1alpha1.OptionValue{"colour": "red"} }),
			refusal("InvalidOptions", "spec.source.options.colour", "does not know it")},
		"option is no URL": {onSpec(func(s *spec) { s.Source.Options = map[string]v1alpha1.OptionValue{"url": "x"} }),
			refusal("InvalidOptions", "spec.source.options.url", "must be an absolute URL")},
		"public key missing": {onSpec(func(s *spec) {
			s.Source.Provider, s.SecretRef = "discord", v1alpha1.SecretKeysReference{}
		}), refusal("InvalidOptions", "spec.source", "set source.options.publicKey or secretRef")},
		"public key malformed": {onSpec(func(s *spec) {
			s.Source = v1alpha1.Source{
				Provider: "sendgrid", Options: map[string]v1alpha1.OptionValue{"publicKey": "?"},
			}
			s.SecretRef = v1alpha1.SecretKeysReference{}
		}), refusal("InvalidOptions", "spec.source.options.publicKey", "public key in PEM or base64")},
		"no source": {onSpec(func(s *spec) { s.Source = v1alpha1.Source{} }),
			refusal("InvalidSpec", "spec.source", "exactly one of provider and scheme")},
		"provider and scheme": {onSpec(func(s *spec) { s.Source.Scheme.Algorithm = "Token" }),
			refusal("InvalidSpec", "spec.source", "exactly one of provider and scheme")},
		"scheme without header": {onSpec(func(s *spec) {
			s.Source = v1alpha1.Source{Scheme: v1alpha1.Scheme{Algorithm: "HMACSHA256"}}
		}), refusal("InvalidScheme", "spec.source.scheme.signature.headers", "at least one header")},
		"no secret for a provider": {onSpec(func(s *spec) { s.SecretRef = v1alpha1.SecretKeysReference{} }),
			refusal("SecretRequired", "spec.secretRef", "provider github signs with a secret")},
		"no secret for a scheme": {onSpec(func(s *spec) {
			s.SecretRef = v1alpha1.SecretKeysReference{}
			s.Source = v1alpha1.Source{Scheme: v1alpha1.Scheme{
				Algorithm: "Token", Signature: v1alpha1.Signature{Headers: []v1alpha1.HeaderName{"X-Token"}},
			}}
		}), refusal("SecretRequired", "spec.secretRef", "a scheme verifies with a key")},
		"secret for none": {onSpec(func(s *spec) { s.Source.Provider = "none" }),
			refusal("InvalidSpec", "spec.secretRef", "verifies nothing and takes no secret")},
		"audit of nothing": {onSpec(func(s *spec) {
			s.Source = v1alpha1.Source{Provider: "none", Enforcement: v1alpha1.EnforcementAudit}
			s.SecretRef = v1alpha1.SecretKeysReference{}
		}), refusal("InvalidSpec", "spec.source.enforcement", "nothing to audit")},
		"range is no range": {onSpec(func(s *spec) { s.AllowedIPRanges = []v1alpha1.AllowedIPRange{"10.0.0.0/33"} }),
			refusal("InvalidAddressRange", "spec.allowedIPRanges[0]", "must be a CIDR")},
		"range with host bits": {onSpec(func(s *spec) { s.AllowedIPRanges = []v1alpha1.AllowedIPRange{"::1", "10.1.2.3/8"} }),
			refusal("InvalidAddressRange", "spec.allowedIPRanges[1]", "write 10.0.0.0/8, or 10.1.2.3 for")},
		"address in disguise": {onSpec(func(s *spec) { s.AllowedIPRanges = []v1alpha1.AllowedIPRange{"::ffff:10.0.0.1"} }),
			refusal("InvalidAddressRange", "spec.allowedIPRanges[0]", "such as 10.0.0.1")},
		"ranges nobody publishes": {func(in *compile.Input) {
			in.Endpoint.Spec.AllowedIPRanges = []v1alpha1.AllowedIPRange{"10.0.0.1", "provider:nobody"}
			in.Ranges = map[string]compile.Ranges{"nobody": {Unknown: true, Problem: "no list is known"}}
		}, refusal("InvalidAddressRange", "spec.allowedIPRanges[1]", "no list is known")},
		"ranges not fetched yet": {func(in *compile.Input) {
			in.Endpoint.Spec.AllowedIPRanges = []v1alpha1.AllowedIPRange{"provider:github"}
			in.Ranges = map[string]compile.Ranges{"github": {Problem: "not fetched yet"}}
		}, refusal("AddressRangesUnavailable", "spec.allowedIPRanges[0]", "not fetched yet")},
		"ranges not gathered": {onSpec(func(s *spec) {
			s.AllowedIPRanges = []v1alpha1.AllowedIPRange{"provider:github"}
		}), refusal("AddressRangesUnavailable", "spec.allowedIPRanges[0]", "of github are not known")},
		"range in disguise": {onSpec(func(s *spec) { s.AllowedIPRanges = []v1alpha1.AllowedIPRange{"::ffff:10.0.0.0/104"} }),
			refusal("InvalidAddressRange", "spec.allowedIPRanges[0]", "write the IPv4 range")},
		"address with zone": {onSpec(func(s *spec) { s.AllowedIPRanges = []v1alpha1.AllowedIPRange{"fe80::1%eth0"} }),
			refusal("InvalidAddressRange", "spec.allowedIPRanges[0]", "such as fe80::1")},
		"event type expression": {onSpec(func(s *spec) { s.EventType = "body.kind +" }),
			refusal("InvalidExpression", "spec.eventType", "line 1, column 12: Syntax error")},
		"dedup expression": {onSpec(func(s *spec) { s.Deduplication.Key = "true" }),
			refusal("InvalidExpression", "spec.deduplication.key", "it must give a string")},
		"condition": {onSpec(func(s *spec) { s.Targets[0].When = "event.type" }),
			refusal("InvalidExpression", "spec.targets[0].when", "it must give a bool")},
		"replay guard without window": {onSpec(func(s *spec) {
			s.Deduplication = v1alpha1.Deduplication{WindowSeconds: new(int32(0)), ReplayGuard: "Body"}
		}), refusal("InvalidSpec", "spec.deduplication.replayGuard", "needs a windowSeconds above 0")},
		"direct to two": {onSpec(func(s *spec) {
			s.Delivery = v1alpha1.DeliveryDirect
			s.Targets = append(s.Targets, s.Targets[0])
			s.Targets[1].Name = "again"
		}), refusal("InvalidSpec", "spec.targets", "needs exactly one target, there are 2")},
		"direct and suspended": {onSpec(func(s *spec) {
			s.Delivery, s.Suspend = v1alpha1.DeliveryDirect, true
		}), refusal("InvalidSpec", "spec.suspend", "use delivery: Queued")},
		"no targets": {onSpec(func(s *spec) { s.Targets = nil }),
			refusal("InvalidSpec", "spec.targets", "at least one target")},
		"target twice": {onSpec(func(s *spec) { s.Targets = append(s.Targets, s.Targets[0]) }),
			refusal("InvalidSpec", "spec.targets[1]", `target name "builder" is taken`)},
		"target path with query": {onSpec(func(s *spec) { s.Targets[0].Path = "/a?b" }),
			refusal("InvalidPath", "spec.targets[0].path", "no query")},
		"target path with dots": {onSpec(func(s *spec) { s.Targets[0].Path = "/a/../b" }),
			refusal("InvalidPath", "spec.targets[0].path", "segments . and ..")},
		"backoff upside down": {onSpec(func(s *spec) { s.Retry.InitialBackoffSeconds = 601 }),
			refusal("InvalidSpec", "spec", "initialBackoffSeconds must be at least 1 and at most maxBackoffSeconds")},
		"route of more than 64 KiB": {onSpec(func(s *spec) {
			for i := range 40 {
				s.Targets = append(s.Targets, s.Targets[0])
				s.Targets[i+1].Name = fmt.Sprintf("target-%d", i)
				s.Targets[i+1].When = "event.type != '" + strings.Repeat("x", 2000) + "'"
			}
		}), refusal("RouteTooLarge", "spec", "at most 65536 are served")},
		"methods of a provider": {onSpec(func(s *spec) { s.Methods = []v1alpha1.Method{"GET"} }),
			refusal("InvalidSpec", "spec.methods", "provider github brings its own")},
		"method of no webhook": {onSpec(func(s *spec) {
			s.Source.Provider, s.SecretRef, s.Methods = "none", v1alpha1.SecretKeysReference{}, []v1alpha1.Method{"GET", "TRACE"}
		}), refusal("InvalidSpec", "spec.methods[1]", `"TRACE" is none of POST, PUT, PATCH, GET, DELETE`)},
		"body beyond the limit": {onSpec(func(s *spec) { s.MaxBodyBytes = 26214401 }),
			refusal("InvalidSpec", "spec", "maxBodyBytes")},
	}, func(t *testing.T, result compile.Result) {
		if result.Route != nil {
			t.Error("there is a route for a spec that was refused")
		}
	})
}

// TestSizeOfARouteSaysNothingOfItsKey: who pads an endpoint until it is too large
// must not learn the length of a Secret that they cannot read.
func TestSizeOfARouteSaysNothingOfItsKey(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	for _, length := range []int{1, 20, 32, 33, 64, 255, 700} {
		in := github()
		in.Secret = secret("github-webhook", "42", map[string]string{"secret": strings.Repeat("k", length)})
		for i := range 40 {
			in.Endpoint.Spec.Targets = append(in.Endpoint.Spec.Targets, in.Endpoint.Spec.Targets[0])
			in.Endpoint.Spec.Targets[i+1].Name = fmt.Sprintf("target-%d", i)
			in.Endpoint.Spec.Targets[i+1].When = "event.type != '" + strings.Repeat("x", 2000) + "'"
		}
		for _, problem := range compile.Endpoint(in).Problems {
			told[problem.String()] = true
		}
	}
	if len(told) != 1 {
		t.Errorf("lengths are told apart: %v", told)
	}
}

func secretProblem(reason, field, message string) compile.Problem {
	return compile.Problem{Condition: v1alpha1.ConditionSecretsResolved, Reason: reason, Field: field, Message: message}
}

func TestSecretProblemsThatStopVerification(t *testing.T) {
	t.Parallel()
	holding := func(values map[string]string) func(*compile.Input) {
		return func(in *compile.Input) { in.Secret = secret("github-webhook", "42", values) }
	}
	run(t, map[string]problemTest{
		"no Secret": {func(in *compile.Input) { in.Secret = nil },
			secretProblem("SecretNotFound", "spec.secretRef.name", "no Secret github-webhook in namespace ci")},
		"no key": {holding(map[string]string{"token": "x", "other": "y"}),
			secretProblem("KeyNotFound", "spec.secretRef.keys[0]", `no key "secret": add it, or list the key that holds`)},
		"no keys at all": {holding(nil), secretProblem("KeyNotFound", "spec.secretRef.keys[0]", "it has no keys")},
		"empty": {holding(map[string]string{"secret": ""}),
			secretProblem("EmptySecret", "spec.secretRef.keys[0]", `key "secret" of Secret github-webhook is empty`)},
		"of more than 16 KiB": {holding(map[string]string{"secret": strings.Repeat("canary", 3000)}),
			secretProblem("InvalidSecret", "spec.secretRef.keys[0]",
				`key "secret" of Secret github-webhook has 18000 bytes, at most 16384 are taken`)},
		"newline": {holding(map[string]string{"secret": "\n"}),
			secretProblem("EmptySecret", "spec.secretRef.keys[0]", "is empty")},
		"not base64": {func(in *compile.Input) {
			in.Endpoint.Spec.Source.Provider = "standard-webhooks"
			in.Secret = secret("github-webhook", "42", map[string]string{"secret": "whsec_!!"})
		}, secretProblem("InvalidSecret", "spec.secretRef.keys[0]", `key "secret" of the Secret is not base64`)},
	}, func(t *testing.T, result compile.Result) {
		if result.Route == nil || result.Route.Unavailable == nil {
			t.Fatalf("got route %v, want one that is unavailable", result.Route)
		}
		if reason := result.Route.Unavailable.Reason; reason != "secret_unavailable" {
			t.Errorf("route is unavailable for %s", reason)
		}
		if len(result.Route.Keys) > 0 {
			t.Error("an unavailable route has keys")
		}
	})
}

// A rotation that goes wrong leaves the keys that work.
func TestSecretProblemsThatLeaveAKey(t *testing.T) {
	t.Parallel()
	rotating := func(provider string, values map[string]string) func(*compile.Input) {
		return func(in *compile.Input) {
			in.Endpoint.Spec.Source.Provider = provider
			in.Endpoint.Spec.SecretRef.Keys = []v1alpha1.SecretKey{"current", "previous"}
			in.Secret = secret("github-webhook", "42", values)
		}
	}
	run(t, map[string]problemTest{
		"first missing": {rotating("github", map[string]string{"previous": "x"}),
			secretProblem("KeyNotFound", "spec.secretRef.keys[0]", `no key "current"`)},
		"first empty": {rotating("github", map[string]string{"current": "", "previous": "x"}),
			secretProblem("EmptySecret", "spec.secretRef.keys[0]", `key "current"`)},
		"second empty": {rotating("github", map[string]string{"current": "x", "previous": ""}),
			secretProblem("EmptySecret", "spec.secretRef.keys[1]", `key "previous"`)},
		"first malformed": {rotating("standard-webhooks", map[string]string{
			"current": "whsec_!", "previous": "whsec_MfKQ9r8G",
		}), secretProblem("InvalidSecret", "spec.secretRef.keys[0]", `key "current" of the Secret is not base64`)},
	}, func(t *testing.T, result compile.Result) {
		if result.Route == nil || result.Route.Unavailable != nil || len(result.Route.Keys) != 1 {
			t.Errorf("got route %+v, want one that serves with the good key", result.Route)
		}
	})
}

func targetProblem(reason, message string) compile.Problem {
	return compile.Problem{
		Condition: v1alpha1.ConditionTargetsResolved, Reason: reason, Field: "spec.targets[0].service", Message: message,
	}
}

func pointTo(namespace, name string, port intstr.IntOrString) func(*compile.Input) {
	return onSpec(func(spec *v1alpha1.WebhookEndpointSpec) {
		spec.Targets[0].Service = v1alpha1.ServiceReference{Namespace: namespace, Name: name, Port: port}
	})
}

// Events queue for a target whose Service is not there or not ready for them.
func TestTargetsThatWait(t *testing.T) {
	t.Parallel()
	having := func(change func(*corev1.Service), port intstr.IntOrString) func(*compile.Input) {
		return func(in *compile.Input) {
			change(in.Services[types.NamespacedName{Namespace: "ci", Name: "builder"}])
			in.Endpoint.Spec.Targets[0].Service.Port = port
		}
	}
	run(t, map[string]problemTest{
		"no Service": {pointTo("", "absent", intstr.FromInt32(80)),
			targetProblem("ServiceNotFound", "no Service ci/absent: events queue")},
		"no Service to answer directly": {func(in *compile.Input) {
			pointTo("", "absent", intstr.FromInt32(80))(in)
			in.Endpoint.Spec.Delivery = v1alpha1.DeliveryDirect
		}, targetProblem("ServiceNotFound", "no Service ci/absent: requests are answered 503 until it exists")},
		"no Service there": {func(in *compile.Input) {
			pointTo("apps", "absent", intstr.FromInt32(80))(in)
			in.Grants = append(in.Grants, grant("apps"))
		}, targetProblem("ServiceNotFound", "no Service apps/absent")},
		"no such number": {pointTo("", "builder", intstr.FromInt32(81)),
			targetProblem("PortNotFound", "Service ci/builder has no port 81: events queue until it has; it has 80 (http)")},
		"no such name": {pointTo("", "builder", intstr.FromString("web")),
			targetProblem("PortNotFound", "has no port web")},
		"no ports": {having(func(s *corev1.Service) { s.Spec.Ports = nil }, intstr.FromInt32(80)),
			targetProblem("PortNotFound", "it has none")},
		"not TCP": {having(func(s *corev1.Service) { s.Spec.Ports[0].Protocol = corev1.ProtocolUDP }, intstr.FromInt32(80)),
			targetProblem("PortNotFound", "is UDP; webhooks need TCP")},
		"headless by name": {having(func(s *corev1.Service) {
			s.Spec.ClusterIP = corev1.ClusterIPNone
			s.Spec.Ports[0].TargetPort = intstr.FromString("web")
		}, intstr.FromInt32(80)), targetProblem("PortNotFound", `target port "web" by name; write its number`)},
	}, func(t *testing.T, result compile.Result) {
		if result.Route == nil || result.Route.Unavailable != nil || len(result.Route.Targets) != 1 {
			t.Fatalf("got route %+v, want one that serves", result.Route)
		}
		if result.Route.Targets[0].Unavailable == nil {
			t.Error("the target is not marked unavailable")
		}
	})
}

// A target that is not permitted gets nothing, and no other is left here.
func TestTargetsThatAreNotPermitted(t *testing.T) {
	t.Parallel()
	run(t, map[string]problemTest{
		"no consent": {pointTo("apps", "builder", intstr.FromInt32(80)),
			targetProblem("NotPermitted", "namespace apps has not consented: it needs a ReferenceGrant")},
		"no kind to consent with": {func(in *compile.Input) {
			pointTo("apps", "builder", intstr.FromInt32(80))(in)
			in.NoGrantKind = true
		}, targetProblem("NotPermitted", "install its CRD from the Gateway API")},
		"namespace that is not served": {func(in *compile.Input) {
			pointTo("apps", "builder", intstr.FromInt32(80))(in)
			in.Unserved = []string{"apps"}
		}, targetProblem("NamespaceNotServed", "have it added to `watchNamespaces`")},
		"ExternalName": {func(in *compile.Input) {
			in.Services[types.NamespacedName{Namespace: "ci", Name: "builder"}].Spec.Type = corev1.ServiceTypeExternalName
		}, targetProblem("ExternalNameForbidden", "Service ci/builder is of type ExternalName")},
		"API server": {func(in *compile.Input) {
			pointTo("default", "kubernetes", intstr.FromInt32(443))(in)
			in.Grants = append(in.Grants, grant("default"))
		}, targetProblem("ServiceForbidden", "API server may not be a target")},
		"API server of its own namespace": {func(in *compile.Input) {
			in.Endpoint.Namespace = "default"
			pointTo("", "kubernetes", intstr.FromInt32(443))(in)
		}, targetProblem("ServiceForbidden", "API server may not be a target")},
	}, func(t *testing.T, result compile.Result) {
		if result.Route == nil || result.Route.Unavailable == nil || len(result.Route.Targets) != 0 {
			t.Fatalf("got route %+v, want one without target that is unavailable", result.Route)
		}
		if reason := result.Route.Unavailable.Reason; reason != "no_target" {
			t.Errorf("route is unavailable for %s", reason)
		}
	})
}

func TestSigningSecretProblems(t *testing.T) {
	t.Parallel()
	signing := func(values map[string]string) func(*compile.Input) {
		return func(in *compile.Input) {
			in.Endpoint.Spec.Targets[0].SigningSecretRef.Name = "signing"
			if values != nil {
				in.SigningSecrets["signing"] = secret("signing", "7", values)
			}
		}
	}
	const field = "spec.targets[0].signingSecretRef"
	run(t, map[string]problemTest{
		"no Secret": {signing(nil), secretProblem("SecretNotFound", field, "no Secret signing in namespace ci")},
		"no key": {signing(map[string]string{"a": "b"}),
			secretProblem("KeyNotFound", field, `no key "secret"; it has a`)},
		"empty": {signing(map[string]string{"secret": "\n"}), secretProblem("EmptySecret", field, "is empty")},
		"of more than 16 KiB": {signing(map[string]string{"secret": strings.Repeat("canary", 3000)}),
			secretProblem("InvalidSecret", field, "has 18000 bytes, at most 16384 are taken")},
		"not base64": {signing(map[string]string{"secret": "whsec_?"}),
			secretProblem("InvalidSecret", field, "followed by base64")},
	}, func(t *testing.T, result compile.Result) {
		if result.Route == nil || result.Route.Unavailable != nil {
			t.Fatalf("got route %+v, want one that serves", result.Route)
		}
		unavailable := result.Route.Targets[0].Unavailable
		if unavailable == nil || unavailable.Reason != "signing_secret_unavailable" {
			t.Errorf("target is unavailable for %v", unavailable)
		}
	})
}

// run expects exactly the wanted problem of every spoilt input, whose message
// needs to contain the wanted one, and has the result checked further.
func run(t *testing.T, tests map[string]problemTest, check func(*testing.T, compile.Result)) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := github()
			test.spoil(&in)
			result := compile.Endpoint(in)
			if len(result.Problems) != 1 {
				t.Fatalf("got %v, want one problem", result.Problems)
			}
			got := result.Problems[0]
			if !strings.Contains(got.Message, test.want.Message) {
				t.Errorf("message is %q, want %q in it", got.Message, test.want.Message)
			}
			if got.Message = test.want.Message; got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			check(t, result)
		})
	}
}
