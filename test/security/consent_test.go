package security

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/wait"
)

const lender = `
apiVersion: v1
kind: Namespace
metadata: {name: borrower}
---
apiVersion: v1
kind: Namespace
metadata: {name: platform}
---
apiVersion: v1
kind: Service
metadata: {name: shared, namespace: platform}
spec: {clusterIP: None, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: hook, namespace: borrower}
stringData: {secret: "of the borrower"}
---
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: github, namespace: borrower}
spec:
  source: {provider: github}
  secretRef: {name: hook}
  retry: {initialBackoffSeconds: 1, maxBackoffSeconds: 1}
  targets: [{service: {name: shared, namespace: platform, port: 80}}]
`

const grant = `
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: hooks, namespace: platform}
spec:
  from: [{group: hooks.postern.dev, kind: WebhookEndpoint, namespace: borrower}]
  to: [{group: "", kind: Service, name: shared}]
`

// TestConsentEndsWithEventsQueued takes a grant back while an event waits to be
// tried again. It is not tried any more, nor lost: with a new grant it goes on.
func TestConsentEndsWithEventsQueued(t *testing.T) {
	for _, manifest := range []string{grantKind(t), lender, grant} {
		if _, err := kube.Apply(t.Context(), admin, []byte(manifest)); err != nil {
			t.Fatal(err)
		}
	}
	endpoint := kube.Object("hooks.postern.dev/v1alpha1", "WebhookEndpoint", "borrower", "github")
	await := func(condition, status string) {
		t.Helper()
		if err := kube.AwaitCondition(t.Context(), admin, endpoint, condition, status, wait.Patience); err != nil {
			t.Fatal(err)
		}
	}
	await("Ready", "True")
	body := []byte(`{"queued":true}`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		installation.Public+"/borrower/github", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	routetest.SignGitHub(request.Header, "of the borrower", "1", "push", body)
	response, err := new(http.Client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("answer %d", response.StatusCode)
	}
	attempt(t)
	attempt(t) // it is being tried again and again

	if _, err := kube.Apply(t.Context(), admin, []byte(strings.Replace(grant, "borrower", "nobody", 1))); err != nil {
		t.Fatal(err)
	}
	await("TargetsResolved", "False")
	await("Programmed", "True")
	for len(shared.bodies) > 0 {
		<-shared.bodies
	}
	select {
	case got := <-shared.bodies:
		t.Errorf("an event was delivered without consent: %s", got)
	case <-time.After(4 * time.Second): // several back-offs
	}
	if _, err := kube.Apply(t.Context(), admin, []byte(grant)); err != nil {
		t.Fatal(err)
	}
	await("Ready", "True")
	attempt(t)
}

func attempt(t *testing.T) {
	t.Helper()
	if got := wait.Next(t, "the event", shared.bodies); !strings.Contains(got, `{"queued":true}`) {
		t.Errorf("the target got %s", got)
	}
}

// grantKind is the CRD as the Gateway API ships it.
func grantKind(t *testing.T) string {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(module)),
		"config", "crd", "standard", "gateway.networking.k8s.io_referencegrants.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
