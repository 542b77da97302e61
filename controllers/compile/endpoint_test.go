package compile_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

func compiled(t *testing.T, in compile.Input) *route.Endpoint {
	t.Helper()
	result := compile.Endpoint(in)
	if len(result.Problems) > 0 {
		t.Fatalf("unexpected problems: %v", result.Problems)
	}
	return result.Route
}

func TestURL(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		external, want string
		hosts          []v1alpha1.Hostname
	}{
		"plain":           {"https://hooks.example.com", "https://hooks.example.com/ci/github", nil},
		"below a path":    {"https://example.com/in", "https://example.com/in/ci/github", nil},
		"nobody has said": {"", "/ci/github", nil},
		"its own host": {
			"https://hooks.example.com", "https://ci.example/ci/github", []v1alpha1.Hostname{"ci.example"},
		},
		"its own host and port": {
			"https://a.example:8443", "https://b.example:8443/ci/github", []v1alpha1.Hostname{"b.example"},
		},
		"the common host": {
			"https://b.example", "https://b.example/ci/github", []v1alpha1.Hostname{"a.example", "b.example"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := github()
			in.ExternalURL, in.Endpoint.Spec.Hosts = test.external, test.hosts
			result := compile.Endpoint(in)
			if result.URL != test.want {
				t.Errorf("got %s, want %s", result.URL, test.want)
			}
			if test.external == "" {
				test.want = ""
			}
			if result.Route.URL != test.want {
				t.Errorf("route has %q, want %q: what is signed is never guessed", result.Route.URL, test.want)
			}
		})
	}
}

func TestDeduplicationWindow(t *testing.T) {
	t.Parallel()
	const retriesLonger = "standard-webhooks"
	preset, _ := verify.Lookup(retriesLonger)
	if preset.Retries.For <= 72*time.Hour {
		t.Fatalf("%s retries for %v; the test needs a provider that retries longer than 72 h",
			retriesLonger, preset.Retries.For)
	}
	for name, test := range map[string]struct {
		provider string
		window   *int32
		want     int64
	}{
		"default":           {"github", nil, 259200},
		"longer horizon":    {retriesLonger, nil, int64(preset.Retries.For.Seconds())},
		"off":               {"github", new(int32(0)), 0},
		"shorter on demand": {retriesLonger, new(int32(60)), 60},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := github()
			in.Endpoint.Spec.Source.Provider = test.provider
			in.Endpoint.Spec.Deduplication.WindowSeconds = test.window
			in.Secret.Data["secret"] = []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
			if got := compiled(t, in).Deduplication.WindowSeconds; got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestPorts(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		port     intstr.IntOrString
		headless bool
		target   intstr.IntOrString
		want     int
	}{
		"number":                        {intstr.FromInt32(80), false, intstr.FromInt32(8080), 80},
		"name":                          {intstr.FromString("http"), false, intstr.FromString("web"), 80},
		"headless":                      {intstr.FromInt32(80), true, intstr.FromInt32(8080), 8080},
		"headless without target port":  {intstr.FromString("http"), true, intstr.IntOrString{}, 80},
		"headless with named port only": {intstr.FromString("http"), true, intstr.FromInt32(9090), 9090},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := github()
			s := in.Services[types.NamespacedName{Namespace: "ci", Name: "builder"}]
			s.Spec.Ports[0].TargetPort = test.target
			if test.headless {
				s.Spec.ClusterIP = corev1.ClusterIPNone
			}
			in.Endpoint.Spec.Targets[0].Service.Port = test.port
			if got := compiled(t, in).Targets[0].Port; got != test.want {
				t.Errorf("got port %d, want %d", got, test.want)
			}
		})
	}
}

func TestAssumedServices(t *testing.T) {
	t.Parallel()
	in := github()
	in.Services, in.AssumeServices = nil, true
	in.Endpoint.Spec.Targets = append(in.Endpoint.Spec.Targets, target("named", intstr.FromString("http")))
	r := compiled(t, in)
	if r.Targets[0].Port != 80 || r.Targets[1].Port != 80 || r.Targets[1].Unavailable != nil {
		t.Errorf("got %+v", r.Targets)
	}
	in.Endpoint.Spec.Targets[1].Service.Namespace = "apps"
	if problems := compile.Endpoint(in).Problems; len(problems) != 1 || problems[0].Reason != "NotPermitted" {
		t.Errorf("got %v: consent is needed even for Services that nobody can look at", problems)
	}
}

// One target that may not be reached takes nothing away from the others.
func TestForbiddenTargetIsLeftOut(t *testing.T) {
	t.Parallel()
	in := github()
	in.Endpoint.Spec.Targets = append(in.Endpoint.Spec.Targets, target("kubernetes", intstr.FromInt32(443)))
	in.Endpoint.Spec.Targets[1].Service.Namespace = "default"
	result := compile.Endpoint(in)
	if result.Route == nil || result.Route.Unavailable != nil || len(result.Route.Targets) != 1 {
		t.Fatalf("got %+v", result.Route)
	}
	if name := result.Route.Targets[0].Name; name != "builder" {
		t.Errorf("target %s is left", name)
	}
}

func TestRotationChangesTheHash(t *testing.T) {
	t.Parallel()
	in := github()
	in.Endpoint.Spec.Targets[0].SigningSecretRef.Name = "signing"
	in.SigningSecrets["signing"] = secret("signing", "7", map[string]string{"secret": "whsec_MfKQ9r8GKYqrTwjUPD8I"})
	before := compiled(t, in).Hash()
	in.Secret.ResourceVersion = "43"
	rotated := compiled(t, in).Hash()
	in.SigningSecrets["signing"].ResourceVersion = "8"
	signing := compiled(t, in).Hash()
	if before == rotated || rotated == signing {
		t.Errorf("hashes %s, %s, %s: every rotation must show", before, rotated, signing)
	}
}

// Every preset compiles without problem from what it says that it needs.
func TestEveryPresetAsksForWhatItNeeds(t *testing.T) {
	t.Parallel()
	for _, preset := range verify.Presets() {
		t.Run(preset.Name, func(t *testing.T) {
			t.Parallel()
			in := github()
			in.Endpoint.Spec.Source.Provider = preset.Name
			in.Endpoint.Spec.SecretRef = v1alpha1.SecretKeysReference{}
			for _, problem := range compile.Endpoint(in).Problems {
				if problem.Condition != v1alpha1.ConditionAccepted || problem.Field == "spec" {
					t.Errorf("without anything: %+v", problem)
				}
				if preset.Secret == verify.SecretRequired && len(preset.NeededOptions) == 0 &&
					problem.Reason != v1alpha1.ReasonSecretRequired {
					t.Errorf("without anything: %+v, want SecretRequired", problem)
				}
			}
		})
	}
}

func ExampleEndpoint() {
	in := github()
	in.Endpoint.Spec.Path = "/elsewhere"
	for _, problem := range compile.Endpoint(in).Problems {
		fmt.Println(problem.Reason, problem)
	}
	// Output: InvalidPath spec.path: path "/elsewhere" must start with /ci/, the prefix of its namespace
}
