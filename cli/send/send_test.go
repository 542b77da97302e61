package send_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/cli/clitest"
	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// endpoint verifies what arrives and answers as it is told.
type endpoint struct {
	*httptest.Server
	verdicts chan verify.Verdict
}

func serve(t *testing.T, provider string, status int) *endpoint {
	t.Helper()
	e := &endpoint{verdicts: make(chan verify.Verdict, 16)}
	verifier, err := verify.Compile(verify.Config{
		Source: route.Source{Provider: provider},
		Keys:   []route.Key{{Name: "secret", Value: []byte(secret)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		verdict, err := verifier.Verify(r.Context(), &verify.Request{
			Method: r.Method, RawQuery: r.URL.RawQuery, Header: r.Header, Body: body, Now: time.Now(),
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		e.verdicts <- verdict
		w.WriteHeader(status)
		fmt.Fprintf(w, "got %d bytes\n", len(body))
	}))
	t.Cleanup(e.Close)
	return e
}

func key(t *testing.T) string { return clitest.WriteFile(t, t.TempDir(), "secret", secret+"\n") }

func TestSendIsVerified(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ provider, event, wantType string }{
		{"github", "", "push"},
		{"github", "pull_request.opened", "pull_request.opened"},
		{"stripe", "", "payment_intent.succeeded"},
		{"slack", "", "app_mention"},
		{"shopify", "", "orders/create"},
		{"gitlab", "", "Push Hook"},
		{"standard-webhooks", "invoice.paid", "invoice.paid"},
	} {
		t.Run(test.provider+" "+test.event, func(t *testing.T) {
			t.Parallel()
			e := serve(t, test.provider, http.StatusAccepted)
			got := clitest.Run(t, "send", test.provider, "--secret-file", key(t), "--url", e.URL, "--event", test.event)
			if got.Status != exit.OK || !strings.HasPrefix(got.Stdout, "202 Accepted\ngot ") {
				t.Fatalf("status %d, output %q, standard error %q", got.Status, got.Stdout, got.Stderr)
			}
			if verdict := <-e.verdicts; verdict.EventType != test.wantType || verdict.DeliveryID == "" {
				t.Errorf("arrived as type %q, id %q, want %q and some id", verdict.EventType, verdict.DeliveryID, test.wantType)
			}
		})
	}
}

func TestSendRepeats(t *testing.T) {
	t.Parallel()
	e := serve(t, "github", http.StatusOK)
	got := clitest.Run(t, "send", "github", "--secret-file", key(t), "--url", e.URL,
		"--id", "same", "--repeat", "3", "-o", "json")
	if got.Status != exit.OK {
		t.Fatalf("status %d: %s", got.Status, got.Stderr)
	}
	lines := slices.Collect(strings.Lines(got.Stdout))
	if len(lines) != 3 {
		t.Fatalf("output has %d lines, want 3: %s", len(lines), got.Stdout)
	}
	for _, line := range lines {
		var answer struct {
			Status        int
			LatencyMillis float64
			Body          string
		}
		if err := json.Unmarshal([]byte(line), &answer); err != nil || answer.Status != 200 || answer.Body == "" {
			t.Errorf("line is %s (%v), want status 200 and a body", line, err)
		}
		if id := (<-e.verdicts).DeliveryID; id != "same" {
			t.Errorf("delivery id is %q, want the given one", id)
		}
	}
}

func TestSendBodyByteForByte(t *testing.T) {
	t.Parallel()
	e := serve(t, "github", http.StatusOK)
	got := clitest.RunInput(t, "not\r\neven JSON\n", "send", "github", "--secret-file", key(t),
		"--url", e.URL, "--body-file", "-")
	if got.Status != exit.OK || !strings.Contains(got.Stdout, "got 15 bytes") {
		t.Errorf("status %d, output %q", got.Status, got.Stdout)
	}
}

func TestRefusalIsAFailure(t *testing.T) {
	t.Parallel()
	e := serve(t, "github", http.StatusOK)
	wrong := clitest.WriteFile(t, t.TempDir(), "wrong", "another")
	got := clitest.Run(t, "send", "github", "--secret-file", wrong, "--url", e.URL)
	if got.Status != exit.Failure || !strings.Contains(got.Stdout, "401 Unauthorized\nsignature_mismatch") {
		t.Errorf("status %d, output %q; want status 1 and the refusal", got.Status, got.Stdout)
	}
	e.Close()
	got = clitest.Run(t, "send", "github", "--secret-file", wrong, "--url", e.URL)
	if got.Status != exit.Failure || !strings.Contains(got.Stderr, "connect") {
		t.Errorf("status %d, standard error %q; want status 1 and why", got.Status, got.Stderr)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, "github", http.StatusOK)
	redirect := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirect.Close)
	got := clitest.Run(t, "send", "github", "--secret-file", key(t), "--url", redirect.URL)
	if got.Status != exit.Failure || !strings.HasPrefix(got.Stdout, "307 ") || len(elsewhere.verdicts) > 0 {
		t.Errorf("status %d, output %q; want the redirect itself", got.Status, got.Stdout)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	file := key(t)
	missing := filepath.Join(t.TempDir(), "missing")
	for name, test := range map[string]struct{ line, want string }{
		"no provider":      {"--url http://a", "arg"},
		"unknown provider": {"githup --url http://a --secret-file " + file, "github"},
		"no url":           {"github --secret-file " + file, "url"},
		"bad url":          {"github --url nowhere --secret-file " + file, "--url"},
		"no secret":        {"github --url http://a", "--secret-file"},
		"missing secret":   {"github --url http://a --secret-file " + missing, "--secret-file"},
		"repeat":           {"github --url http://a --repeat 0 --secret-file " + file, "--repeat"},
		"signed url":       {"github --url http://a --signed-url b --secret-file " + file, "--signed-url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := clitest.Run(t, append([]string{"send"}, strings.Fields(test.line)...)...)
			if got.Status != exit.Usage || !strings.Contains(got.Stderr, test.want) {
				t.Errorf("status %d, standard error %q; want status 2 and an error about %q", got.Status, got.Stderr, test.want)
			}
		})
	}
}
