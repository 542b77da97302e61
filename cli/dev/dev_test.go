package dev_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli"
	"github.com/postern-dev/postern/cli/clitest"
	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/receiver/queue/redistest"
)

const endpoint = `apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: github, namespace: ci}
spec:
  source: {provider: github}
  secretRef: {name: github-webhook}
  targets:
  - service: {name: builder, port: 80}
    path: /hooks
    eventTypes: [push]
`

const secret = `apiVersion: v1
kind: Secret
metadata: {name: github-webhook, namespace: ci}
stringData: {secret: %s}
`

// target records what arrives and answers with the status it is given.
type target struct {
	*httptest.Server
	arrived chan *http.Request
	bodies  chan string
}

func newTarget(t *testing.T, status int) *target {
	t.Helper()
	served := &target{arrived: make(chan *http.Request, 64), bodies: make(chan string, 64)}
	served.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		served.arrived <- r
		served.bodies <- string(body)
		w.WriteHeader(status)
	}))
	t.Cleanup(served.Close)
	return served
}

// session is one running `postern dev`.
type session struct {
	folder   string
	key      string
	url      string
	internal string
	out      *clitest.Lines
	err      *clitest.Lines
	stop     func() int
}

func start(t *testing.T, forwardTo string, more ...string) *session {
	t.Helper()
	s := &session{folder: t.TempDir(), out: clitest.NewLines(), err: clitest.NewLines()}
	clitest.WriteFile(t, s.folder, "endpoint.yaml", endpoint)
	clitest.WriteFile(t, s.folder, "secret.yaml", fmt.Sprintf(secret, "first"))
	s.key = clitest.WriteFile(t, t.TempDir(), "key", "first\n")
	line := append([]string{
		"dev", "-f", s.folder, "--forward-to", forwardTo, "--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0",
	}, more...)
	s.stop = clitest.Start(t, cli.Streams{In: strings.NewReader(""), Out: s.out, Err: s.err}, line...)
	addresses := strings.Fields(s.err.Await(t, "Listening on "))
	s.url, s.internal = strings.TrimSuffix(addresses[2], ";"), addresses[len(addresses)-1]
	s.err.Await(t, "ci/github (github) "+s.url+"/ci/github -> ")
	return s
}

func (s *session) send(t *testing.T, arguments ...string) clitest.Result {
	t.Helper()
	line := append([]string{"send", "github", "--url", s.url + "/ci/github", "--secret-file", s.key}, arguments...)
	return clitest.Run(t, line...)
}

func TestEventsReachTheTarget(t *testing.T) {
	t.Parallel()
	served := newTarget(t, http.StatusNoContent)
	s := start(t, served.URL)
	if !strings.Contains(s.err.String(), "not durable") {
		t.Error("nothing says that the store is not durable")
	}
	sent := s.send(t, "--id", "d-1")
	if sent.Status != exit.OK || !strings.Contains(sent.Stdout, `"status":"accepted"`) {
		t.Fatalf("sending: %+v", sent)
	}
	arrived := <-served.arrived
	if arrived.URL.Path != "/hooks" || arrived.Header.Get("Postern-Endpoint") != "ci/github" {
		t.Errorf("target got %s with headers %v", arrived.URL, arrived.Header)
	}
	line := s.out.Await(t, "ci/github", "push", arrived.Header.Get("Postern-Event-Id"), "accepted")
	if !strings.Contains(line, "builder 204 in ") || strings.Contains(line, "\x1b") {
		t.Errorf("line is %q, want the target's status and no colours", line)
	}
	if again := s.send(t, "--id", "d-1"); !strings.Contains(again.Stdout, `"status":"duplicate"`) {
		t.Errorf("sent again: %+v", again)
	}
	s.out.Await(t, "push", "duplicate")
	if ignored := s.send(t, "--event", "issues.opened"); !strings.Contains(ignored.Stdout, `"status":"ignored"`) {
		t.Errorf("another type: %+v", ignored)
	}
	s.out.Await(t, "ignored")
	forged := clitest.Run(t, "send", "github", "--url", s.url+"/ci/github",
		"--secret-file", clitest.WriteFile(t, t.TempDir(), "forged", "guess"))
	if forged.Status != exit.Failure || !strings.Contains(forged.Stdout, "signature_mismatch") {
		t.Errorf("forged: %+v", forged)
	}
	s.out.Await(t, "rejected", "signature_mismatch")
	if len(served.arrived) > 0 {
		t.Errorf("%d further requests reached the target", len(served.arrived))
	}
	if status := s.stop(); status != exit.OK {
		t.Errorf("status at the end is %d", status)
	}
}

func TestEditsTakeEffect(t *testing.T) {
	t.Parallel()
	served := newTarget(t, http.StatusOK)
	s := start(t, served.URL)

	// A new secret: the old one no longer counts.
	clitest.WriteFile(t, s.folder, "secret.yaml", fmt.Sprintf(secret, "second"))
	s.err.Await(t, "Serving:")
	if old := s.send(t); !strings.Contains(old.Stdout, "signature_mismatch") {
		t.Errorf("the old secret: %+v", old)
	}
	s.key = clitest.WriteFile(t, t.TempDir(), "key", "second")
	if current := s.send(t); current.Status != exit.OK {
		t.Errorf("the new secret: %+v", current)
	}

	// A broken edit: explained, without consequence.
	clitest.WriteFile(t, s.folder, "endpoint.yaml", strings.Replace(endpoint, "eventTypes", "eventTypos", 1))
	s.err.Await(t, "endpoint.yaml:10: WebhookEndpoint ci/github: spec.targets[0].eventTypos: unknown field")
	s.err.Await(t, "last good configuration")
	if still := s.send(t); still.Status != exit.OK {
		t.Errorf("after a broken edit: %+v", still)
	}

	// Editors replace files, and new folders come in.
	renamed := strings.Replace(endpoint, "name: github,", "name: renamed,", 1)
	fixed := clitest.WriteFile(t, t.TempDir(), "fixed.yaml", renamed)
	moved := filepath.Join(s.folder, "endpoint.yaml")
	if err := os.Rename(fixed, moved); err != nil {
		t.Fatal(err)
	}
	s.err.Await(t, "ci/renamed (github) "+s.url+"/ci/renamed")
	clitest.WriteFile(t, s.folder, "more/other.yaml", strings.Replace(endpoint, "name: github,", "name: other,", 1))
	s.err.Await(t, "ci/other (github) ")
	if gone := s.send(t); !strings.Contains(gone.Stdout, "unknown_endpoint") {
		t.Errorf("the renamed endpoint's old path: %+v", gone)
	}
	s.out.Await(t, "rejected", "unknown_endpoint")
}

func TestOutputForPrograms(t *testing.T) {
	t.Parallel()
	served := newTarget(t, http.StatusInternalServerError)
	s := start(t, served.URL, "-o", "json")
	if sent := s.send(t, "--id", "d-2"); sent.Status != exit.OK {
		t.Fatalf("sending: %+v", sent)
	}
	var line struct {
		Endpoint, Source, Type, ID, DeliveryID, Verdict string
		Target                                          struct {
			Name, Result, Reason string
			Attempt, Status      int
		}
	}
	if err := json.Unmarshal([]byte(s.out.Await(t, `"verdict"`)), &line); err != nil {
		t.Fatal(err)
	}
	if line.Endpoint != "ci/github" || line.Source != "github" || line.Type != "push" || line.DeliveryID != "d-2" ||
		len(line.ID) != 32 || line.Verdict != "accepted" {
		t.Errorf("line is %+v", line)
	}
	if line.Target.Name != "builder" || line.Target.Status != 500 ||
		line.Target.Result != "retry" || line.Target.Attempt != 1 {
		t.Errorf("target is %+v", line.Target)
	}
	s.out.Await(t, `"verdict":"retried"`, `"attempt":2`)
}

func TestForwardOneService(t *testing.T) {
	t.Parallel()
	everything, builder := newTarget(t, http.StatusOK), newTarget(t, http.StatusOK)
	s := start(t, everything.URL, "--forward", "ci/builder="+builder.URL+"/base")
	if sent := s.send(t); sent.Status != exit.OK {
		t.Fatalf("sending: %+v", sent)
	}
	if arrived := <-builder.arrived; arrived.URL.Path != "/base/hooks" {
		t.Errorf("the Service's own URL got %s", arrived.URL)
	}
}

func TestSuspendedEndpointSaysSo(t *testing.T) {
	t.Parallel()
	s := start(t, "http://127.0.0.1:1")
	clitest.WriteFile(t, s.folder, "endpoint.yaml", endpoint+"  suspend: true\n")
	s.err.Await(t, "suspended: events queue")
	if sent := s.send(t); sent.Status != exit.OK {
		t.Fatalf("sending: %+v", sent)
	}
	s.out.Await(t, "accepted", "no target has been tried yet")
}

func TestBrokenAtTheStart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	lonely := clitest.WriteFile(t, folder, "lonely.yaml", endpoint)
	onlySecret := clitest.WriteFile(t, folder, "secret.yaml", fmt.Sprintf(secret, "first"))
	broken := clitest.WriteFile(t, folder, "broken.yaml", "kind: [\n")
	forward := []string{"--forward-to", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0"}
	for name, test := range map[string]struct {
		line   []string
		status int
		want   string
	}{
		"missing Secret": {
			append(forward, "-f", lonely), exit.Failure,
			"lonely.yaml:6: WebhookEndpoint ci/github: spec.secretRef.name: there is no Secret github-webhook in namespace ci",
		},
		"no endpoint":   {append(forward, "-f", onlySecret), exit.Usage, "no WebhookEndpoint"},
		"syntax":        {append(forward, "-f", broken), exit.Failure, "broken.yaml:"},
		"no files":      {forward, exit.Usage, "-f"},
		"missing file":  {append(forward, "-f", folder+"/none.yaml"), exit.Usage, "none.yaml"},
		"nowhere to go": {[]string{"-f", lonely}, exit.Usage, "--forward-to"},
		"bad URL":       {[]string{"-f", lonely, "--forward-to", "localhost:3000"}, exit.Usage, "--forward-to"},
		"bad log level": {append(forward, "-f", lonely, "--log-level", "loud"), exit.Usage, "--log-level"},
		"taken address": {
			append(forward, "-f", lonely, "-f", onlySecret, "--listen", "256.0.0.1:1"), exit.Failure, "256.0.0.1",
		},
		"bad store": {append(forward, "-f", lonely, "-f", onlySecret, "--store", "ftp://host"), exit.Usage, "--store"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := clitest.Run(t, append([]string{"dev"}, test.line...)...)
			if got.Status != test.status || !strings.Contains(got.Stderr, test.want) || got.Stdout != "" {
				t.Errorf("status %d, standard error %q; want status %d and %q", got.Status, got.Stderr, test.status, test.want)
			}
		})
	}
}

// TestARealStoreOutlivesTheProcess starts anew over the same Redis.
func TestARealStoreOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	store := redistest.Start(t)
	first := start(t, "http://127.0.0.1:1", "--store", store.URL())
	if strings.Contains(first.err.String(), "not durable") {
		t.Error("a real store is called not durable")
	}
	if sent := first.send(t, "--id", "d-3"); sent.Status != exit.OK {
		t.Fatalf("sending: %+v", sent)
	}
	first.out.Await(t, "builder", "again in")
	if status := first.stop(); status != exit.OK {
		t.Fatalf("status at the end is %d", status)
	}
	served := newTarget(t, http.StatusOK)
	second := start(t, served.URL, "--store", store.URL())
	second.out.Await(t, "builder 200", "retried")
	if again := second.send(t, "--id", "d-3"); !strings.Contains(again.Stdout, `"status":"duplicate"`) {
		t.Errorf("sent again to the second process: %+v", again)
	}
}

func TestStandardInput(t *testing.T) {
	t.Parallel()
	out, err := clitest.NewLines(), clitest.NewLines()
	in := strings.NewReader(endpoint + "---\n" + fmt.Sprintf(secret, "first"))
	clitest.Start(t, cli.Streams{In: in, Out: out, Err: err},
		"dev", "-f", "-", "--forward-to", "http://127.0.0.1:1", "--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0",
		"--external-url", "https://tunnel.example.com")
	err.Await(t, "https://tunnel.example.com/ci/github -> http://127.0.0.1:1/hooks")
}
