package routes_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/manifests"
	"github.com/postern-dev/postern/cli/routes"
)

const endpoint = `apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: NAME, namespace: ci}
spec:
  source: {provider: github}
  secretRef: {name: github-webhook}
  targets:
  - service: {name: builder, namespace: TARGET, port: http}
    path: /hooks
`

const secret = `apiVersion: v1
kind: Secret
metadata: {name: github-webhook, namespace: ci}
stringData: {secret: s3cret}
`

const service = `apiVersion: v1
kind: Service
metadata: {name: builder, namespace: ci}
spec: {ports: [{name: http, port: 8080}]}
`

func named(name, target string) string {
	return strings.NewReplacer("NAME", name, "TARGET", target).Replace(endpoint)
}

func compile(t *testing.T, options routes.Options, texts ...string) routes.Result {
	t.Helper()
	set, err := manifests.Load([]string{"-"}, manifests.Options{Stdin: strings.NewReader(strings.Join(texts, "---\n"))})
	if err != nil {
		t.Fatal(err)
	}
	return routes.Compile(set, options)
}

func TestRoutesAreThoseOfTheManager(t *testing.T) {
	t.Parallel()
	result := compile(t, routes.Options{ExternalURL: "http://localhost:8080", RequireSecrets: true},
		named("second", "ci"), named("first", "ci"), secret, service)
	if len(result.Problems) > 0 || len(result.Routes) != 2 {
		t.Fatalf("%d routes and problems %v, want two and none", len(result.Routes), result.Problems)
	}
	first := result.Routes[0]
	if first.UID != "ci/first" || first.Path != "/ci/first" || string(first.Keys[0].Value) != "s3cret" {
		t.Errorf("route is %+v", first)
	}
	if target := first.Targets[0]; target.Port != 8080 || target.Path != "/hooks" || target.Unavailable != nil {
		t.Errorf("target is %+v, want the port of the Service in the files", target)
	}
	if got := result.URLs["ci/first"]; got != "http://localhost:8080/ci/first" {
		t.Errorf("URL is %q", got)
	}
	if err := first.Validate(); err != nil {
		t.Error(err)
	}
}

func TestServicesAreAssumed(t *testing.T) {
	t.Parallel()
	result := compile(t, routes.Options{RequireSecrets: true}, named("github", "ci"), secret)
	if len(result.Problems) > 0 || result.Routes[0].Targets[0].Unavailable != nil {
		t.Errorf("problems %v and routes %+v, want the Service taken for existing", result.Problems, result.Routes)
	}
}

func TestSecretsAreRequiredOnDemand(t *testing.T) {
	t.Parallel()
	if result := compile(t, routes.Options{}, named("github", "ci")); len(result.Problems) > 0 {
		t.Errorf("problems are %v, want none: the Secret may be in the cluster", result.Problems)
	}
	result := compile(t, routes.Options{RequireSecrets: true}, named("github", "ci"))
	if len(result.Problems) != 1 || result.Problems[0].Line != 6 ||
		!strings.Contains(result.Problems[0].Message, "no Secret github-webhook in namespace ci") {
		t.Errorf("problems are %v, want the missing Secret named", result.Problems)
	}
}

func TestConsentIsAssumedWithANote(t *testing.T) {
	t.Parallel()
	result := compile(t, routes.Options{}, named("github", "shop"), secret)
	if len(result.Problems) > 0 || len(result.Routes[0].Targets) != 1 {
		t.Fatalf("problems %v, routes %+v; want the target kept", result.Problems, result.Routes)
	}
	if len(result.Notes) != 1 || !strings.Contains(result.Notes[0].Message, "namespace shop must consent") {
		t.Errorf("notes are %v, want one about the consent", result.Notes)
	}
}

func TestProblemsStayOnTheirLine(t *testing.T) {
	t.Parallel()
	broken := strings.Replace(named("github", "ci"), "path: /hooks", `when: "event.typo ==\n"`, 1)
	result := compile(t, routes.Options{}, broken)
	if len(result.Problems) != 1 || strings.Contains(result.Problems[0].String(), "\n") || result.Problems[0].Line != 9 {
		t.Errorf("problems are %q, want one in line 9", result.Problems)
	}
}
