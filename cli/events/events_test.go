package events_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/cli"
	"github.com/postern-dev/postern/cli/clitest"
	"github.com/postern-dev/postern/cli/exit"
)

const manifests = `apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: github, namespace: ci}
spec:
  source: {provider: github}
  secretRef: {name: github-webhook}
  retry: {maxAttempts: 1}
  targets:
  - service: {name: builder, port: 80}
---
apiVersion: v1
kind: Secret
metadata: {name: github-webhook, namespace: ci}
stringData: {secret: s3cret}
`

// receiver is a running data plane whose one target answers as it is told.
type receiver struct {
	url, internal string
	key           string
	status        atomic.Int32
	out           *clitest.Lines
}

func start(t *testing.T, status int32) *receiver {
	t.Helper()
	r := &receiver{out: clitest.NewLines()}
	r.status.Store(status)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(int(r.status.Load()))
		fmt.Fprint(w, "the target's words")
	}))
	t.Cleanup(target.Close)
	folder := t.TempDir()
	r.key = clitest.WriteFile(t, folder, "key", "s3cret")
	said := clitest.NewLines()
	clitest.Start(t, cli.Streams{In: strings.NewReader(""), Out: r.out, Err: said}, "dev",
		"-f", clitest.WriteFile(t, folder, "hooks.yaml", manifests), "--forward-to", target.URL,
		"--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0", "--log-level", "error")
	addresses := strings.Fields(said.Await(t, "Listening on "))
	r.url, r.internal = strings.TrimSuffix(addresses[2], ";"), addresses[len(addresses)-1]
	said.Await(t, "ci/github (github)")
	return r
}

// send sends an event, waits until its target was tried, and returns its id.
func (r *receiver) send(t *testing.T, event string) string {
	t.Helper()
	sent := clitest.Run(t, "send", "github",
		"--url", r.url+"/ci/github", "--secret-file", r.key, "--event", event, "-o", "json")
	var answer struct{ Body string }
	var body struct{ ID string }
	if sent.Status != exit.OK || json.Unmarshal([]byte(sent.Stdout), &answer) != nil ||
		json.Unmarshal([]byte(answer.Body), &body) != nil {
		t.Fatalf("sending: %+v", sent)
	}
	r.out.Await(t, body.ID, "builder")
	return body.ID
}

func (r *receiver) run(t *testing.T, arguments ...string) clitest.Result {
	t.Helper()
	return clitest.Run(t, append(append([]string{"events"}, arguments...), "--internal-url", r.internal)...)
}

type listed struct {
	Endpoint, ID, Type, Status string
	Targets                    []struct {
		Target, Status, Reason string
		Attempts               int
	}
}

func (r *receiver) list(t *testing.T, arguments ...string) []listed {
	t.Helper()
	got := r.run(t, append([]string{"list", "-o", "json"}, arguments...)...)
	var events []listed
	if err := json.Unmarshal([]byte(got.Stdout), &events); err != nil || got.Status != exit.OK {
		t.Fatalf("listing: %+v (%v)", got, err)
	}
	return events
}

func TestDeadLettersAreReplayed(t *testing.T) {
	t.Parallel()
	r := start(t, http.StatusInternalServerError)
	first, second := r.send(t, "push"), r.send(t, "issues.opened")
	dead := r.list(t, "ci/github", "--status", "dead")
	if len(dead) != 2 || dead[0].ID != second || dead[1].ID != first || dead[0].Endpoint != "ci/github" {
		t.Fatalf("dead letters are %+v, want %s and %s, latest first", dead, second, first)
	}
	if one := r.list(t, "--type", "push", "--since", "1h", "--limit", "5"); len(one) != 1 || one[0].ID != first {
		t.Errorf("events of type push are %+v, want %s", one, first)
	}

	r.status.Store(http.StatusOK)
	got := r.run(t, "replay", "ci/github", first)
	if got.Status != exit.OK || got.Stdout != "Replayed to 1 target.\n" {
		t.Fatalf("replay: %+v", got)
	}
	r.out.Await(t, first, "builder 200")
	got = r.run(t, "replay-dead", "ci/github", "--dry-run", "--type", "iss*.open*")
	if got.Status != exit.OK || !strings.Contains(got.Stdout, second) || strings.Contains(got.Stdout, first) {
		t.Fatalf("replay-dead --dry-run: %+v", got)
	}
	if left := r.list(t, "--status", "dead"); len(left) != 1 {
		t.Errorf("a dry run left the dead letters %+v", left)
	}
	got = r.run(t, "replay-dead", "ci/github", "--type", "push*", "-o", "json")
	if got.Status != exit.OK || !strings.Contains(got.Stdout, `"replayed": 0`) {
		t.Fatalf("replay-dead of another type: %+v", got)
	}
	got = r.run(t, "replay-dead", "ci/github", "--target", "builder", "-o", "json")
	if got.Status != exit.OK || !strings.Contains(got.Stdout, `"replayed": 1`) {
		t.Fatalf("replay-dead: %+v", got)
	}
	r.out.Await(t, second, "builder 200")
	if left := r.list(t, "--status", "dead"); len(left) != 0 {
		t.Errorf("dead letters are left: %+v", left)
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	r := start(t, http.StatusTeapot)
	id := r.send(t, "push")
	got := r.run(t, "show", "github", id, "-n", "ci")
	for _, want := range []string{
		"ID:          " + id, "Endpoint:    ci/github", "Type:        push", "Verified:    true", "Status:      dead",
		"Target builder: dead, 1 tried", "418", `"the target's words"`, "X-Github-Event: push", `"ref": "refs/heads/`,
	} {
		if !strings.Contains(got.Stdout, want) {
			t.Errorf("the event's page lacks %q:\n%s", want, got.Stdout)
		}
	}
	if strings.Contains(got.Stdout, "s3cret") {
		t.Error("the page has the secret")
	}
	var record struct {
		ID    string
		Event struct{ Body []byte }
	}
	got = r.run(t, "show", "ci/github", id, "-o", "json")
	if err := json.Unmarshal([]byte(got.Stdout), &record); err != nil || record.ID != id || len(record.Event.Body) == 0 {
		t.Errorf("record is %+v (%v)", record, err)
	}
}

func TestListForPeople(t *testing.T) {
	t.Parallel()
	r := start(t, http.StatusOK)
	if got := r.run(t, "list"); got.Stdout != "No events.\n" || got.Status != exit.OK {
		t.Errorf("an empty listing is %+v", got)
	}
	id := r.send(t, "push")
	got := r.run(t, "list")
	lines := strings.Split(strings.TrimSpace(got.Stdout), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "RECEIVED ") || !strings.Contains(lines[1], id) ||
		!strings.HasSuffix(lines[1], "builder delivered") {
		t.Errorf("listing is:\n%s", got.Stdout)
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	r := start(t, http.StatusOK)
	out := clitest.NewLines()
	stop := clitest.Start(t, cli.Streams{In: strings.NewReader(""), Out: out, Err: clitest.NewLines()},
		"events", "tail", "--internal-url", r.internal, "--interval", "100ms")
	first := r.send(t, "push")
	out.Await(t, first, "builder delivered")
	second := r.send(t, "issues.opened")
	out.Await(t, second, "builder delivered")
	if status := stop(); status != exit.OK {
		t.Errorf("status at the end is %d", status)
	}
	if got := strings.Count(out.String(), first+"  delivered"); got != 1 {
		t.Errorf("one change is told %d times:\n%s", got, out)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	r := start(t, http.StatusOK)
	for name, test := range map[string]struct {
		line   string
		status int
		want   string
	}{
		"unknown endpoint": {"list ci/none", exit.Usage, "not loaded"},
		"unknown event":    {"show ci/github 00000000000000000000000000000000", exit.Failure, "no such event"},
		"replay nothing":   {"replay ci/github 00000000000000000000000000000000", exit.Failure, "no such event"},
		"status":           {"list --status lost", exit.Usage, "--status"},
		"since":            {"list --since yesterday", exit.Usage, "--since"},
		"limit":            {"list --limit -1", exit.Usage, "--limit"},
		"no id":            {"show ci/github", exit.Usage, "arg"},
		"no endpoint":      {"replay-dead", exit.Usage, "arg"},
		"interval":         {"tail --interval 1ms", exit.Usage, "--interval"},
		"no command":       {"lst", exit.Usage, "lst"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := r.run(t, strings.Fields(test.line)...)
			if got.Status != test.status || !strings.Contains(got.Stderr, test.want) || got.Stdout != "" {
				t.Errorf("status %d, output %q, standard error %q; want status %d and %q",
					got.Status, got.Stdout, got.Stderr, test.status, test.want)
			}
		})
	}
}

func TestNoReceiver(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	t.Cleanup(other.Close)
	for address, want := range map[string]string{
		closed.URL: "connect", other.URL: "is not the receiver's", "nowhere": "--internal-url",
	} {
		got := clitest.Run(t, "events", "list", "--internal-url", address)
		if got.Status == exit.OK || !strings.Contains(got.Stderr, want) {
			t.Errorf("%s: status %d, standard error %q; want an error about %q", address, got.Status, got.Stderr, want)
		}
	}
}

func TestDeadLettersAreDiscarded(t *testing.T) {
	t.Parallel()
	r := start(t, http.StatusGone)
	first, second, third := r.send(t, "push"), r.send(t, "issues.opened"), r.send(t, "issues.closed")
	for _, arguments := range [][]string{
		{"discard", "ci/github", first}, {"discard", "ci/github", "--type", "push"},
	} {
		if got := r.run(t, arguments...); got.Status == exit.OK || !strings.Contains(got.Stderr, "--yes") {
			t.Errorf("%v without an answer: %+v", arguments, got)
		}
	}
	if got := r.run(t, "discard", "ci/github", first, "--type", "push", "--yes"); got.Status != exit.Usage {
		t.Errorf("an id with a filter: %+v", got)
	}
	if n := len(r.list(t, "--status", "dead")); n != 3 {
		t.Fatalf("%d dead letters are left, want all three", n)
	}
	for _, step := range []struct {
		want, left string
		arguments  []string
	}{
		{"Discarded 1 dead letter.\n", second + third, []string{first}},
		{"Discarded 1 dead letter.\n", second, []string{"--type", "*.closed"}},
		{"Discarded 0 dead letters.\n", second, []string{"--target", "other"}},
		{"Discarded 1 dead letter.\n", "", nil},
		{"Discarded 0 dead letters.\n", "", nil},
	} {
		got := r.run(t, append([]string{"discard", "ci/github", "--yes"}, step.arguments...)...)
		if got.Status != exit.OK || got.Stdout != step.want {
			t.Errorf("discard %v: %+v, want %q", step.arguments, got, step.want)
		}
		left := r.list(t, "--status", "dead")
		for _, event := range left {
			if !strings.Contains(step.left, event.ID) {
				t.Errorf("after discard %v there is %s", step.arguments, event.ID)
			}
		}
		if len(left) != len(step.left)/32 {
			t.Errorf("after discard %v there are %d dead letters", step.arguments, len(left))
		}
	}
}
