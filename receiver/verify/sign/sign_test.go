package sign_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/verify/sign"
)

var now = time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)

const url = "https://hooks.example.com/team/own"

func TestBodiesAreSentByteForByte(t *testing.T) {
	t.Parallel()
	body := []byte("{ \"a\" : \"\\u00e4\" }\r\n")
	r, err := sign.Build(sign.Event{
		Provider: "github", Secret: []byte("s"), Body: body, Type: "issues.opened", ID: "1", URL: url, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Body, body) || r.Method != http.MethodPost {
		t.Errorf("%s %q, want POST %q", r.Method, r.Body, body)
	}
	if verdict, err := judge(t, shared("github", "s"), r); err != nil || verdict.EventType != "issues" {
		t.Errorf("got %+v, %v; want the type issues, since the body has no action", verdict, err)
	}
}

func TestTypesWithoutASampleAreMadeUp(t *testing.T) {
	t.Parallel()
	for provider, eventType := range map[string]string{
		"stripe": "charge.refunded", "linear": "Issue.create", "pagerduty": "incident.triggered", "github": "star.created",
		"hubspot": "contact.creation", "webex": "messages.created",
	} {
		r, err := sign.Build(sign.Event{Provider: provider, Secret: []byte("s"), Type: eventType, URL: url, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		if verdict, err := judge(t, shared(provider, "s"), r); err != nil || verdict.EventType != eventType {
			t.Errorf("%s: got %+v, %v; want the type %s", provider, verdict, err, eventType)
		}
	}
}

func TestShortTypesFindTheirSample(t *testing.T) {
	t.Parallel()
	r, err := sign.Build(sign.Event{Provider: "github", Secret: []byte("s"), Type: "pull_request", URL: url, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if verdict, err := judge(t, shared("github", "s"), r); err != nil || verdict.EventType != "pull_request.opened" {
		t.Errorf("got %+v, %v; want pull_request.opened", verdict, err)
	}
}

func TestBuildSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for want, event := range map[string]sign.Event{
		"did you mean github": {Provider: "githib", Secret: []byte("s")},
		"none was given":      {Provider: "github"},
		"is hexadecimal":      {Provider: "adyen-payments", Secret: []byte("TOPSECRET")},
		"not base64":          {Provider: "svix", Secret: []byte("whsec_!TOPSECRET")},
	} {
		_, err := sign.Build(event)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error that says %q", err, want)
		} else if strings.Contains(err.Error(), "TOPSECRET") {
			t.Errorf("%v shows the key", err)
		}
	}
	if r, err := sign.Build(sign.Event{Provider: "none"}); err != nil || len(r.Body) == 0 {
		t.Errorf("none: got %+v, %v", r, err)
	}
}
