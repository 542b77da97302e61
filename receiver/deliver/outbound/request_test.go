package outbound_test

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/route"
)

const sampleID = "0123456789abcdef0123456789abcdef"

var attemptedAt = time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)

func sample() *event.Event {
	return &event.Event{
		ID: sampleID, EndpointUID: "u1", Namespace: "ci", Endpoint: "github", Source: "github", Type: "push",
		ReceivedAt: time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC), Verified: true,
		Method: http.MethodPost, RawQuery: "",
		Header: http.Header{"Content-Type": {"application/json"}, "User-Agent": {"GitHub-Hookshot/1"}},
		Body:   []byte("{\"a\": \"\\u00e9\"}\n"),
	}
}

func build(t *testing.T, ev *event.Event, try outbound.Try, change func(*route.Target)) *http.Request {
	t.Helper()
	target := &route.Target{Name: "b", Namespace: "ci", Service: "b", Port: 80, Path: "/", TimeoutSeconds: 1}
	if change != nil {
		change(target)
	}
	return outbound.Build(t.Context(), outbound.Network{}.Destination(target), ev, try)
}

func TestBuildAddsPosternHeaders(t *testing.T) {
	t.Parallel()
	request := build(t, sample(), outbound.Try{Number: 3, At: attemptedAt, SpanID: [8]byte{0xab, 1}}, nil)
	want := http.Header{
		"Content-Type":        {"application/json"},
		"User-Agent":          {"GitHub-Hookshot/1"},
		"Postern-Event-Id":    {sampleID},
		"Postern-Endpoint":    {"ci/github"},
		"Postern-Source":      {"github"},
		"Postern-Event-Type":  {"push"},
		"Postern-Attempt":     {"3"},
		"Postern-Received-At": {"2026-03-01T12:00:00.123456789Z"},
		"Postern-Verified":    {"true"},
		"Traceparent":         {"00-" + sampleID + "-ab01000000000000-00"},
	}
	if !maps.EqualFunc(request.Header, want, slices.Equal) {
		t.Errorf("headers are\n%v, want\n%v", request.Header, want)
	}
}

func TestBuildMarksReplaysAndUnverifiedEvents(t *testing.T) {
	t.Parallel()
	ev := sample()
	ev.Verified, ev.Type = false, ""
	header := build(t, ev, outbound.Try{Number: 1, Replay: true}, nil).Header
	if header.Get("Postern-Replay") != "true" || header.Get("Postern-Verified") != "false" {
		t.Errorf("headers are %v, want a replay that is not verified", header)
	}
	if _, ok := header["Postern-Event-Type"]; ok {
		t.Error("an event without a type has the header of one")
	}
}

func TestBuildEncodesEventTypesOfBodies(t *testing.T) {
	t.Parallel()
	ev := sample()
	ev.Type = "über \"x\"\r\nPostern-Verified: true%"
	got := build(t, ev, outbound.Try{Number: 1}, nil).Header.Get("Postern-Event-Type")
	if want := "%C3%BCber%20%22x%22%0D%0APostern-Verified:%20true%25"; got != want {
		t.Errorf("event type is %q, want %q", got, want)
	}
}

func TestBuildKeepsMethodQueryAndBody(t *testing.T) {
	t.Parallel()
	for _, body := range [][]byte{
		nil, {}, []byte("{}\n"), []byte("\x00\xff\xfe\r\n\r\n"), []byte("\ufeff{\"e\":\"\\u0000\"}  "),
	} {
		ev := sample()
		ev.Method, ev.RawQuery, ev.Body = http.MethodPut, "a=%20b&a&c=%zz", body
		request := build(t, ev, outbound.Try{Number: 1}, nil)
		got, err := io.ReadAll(request.Body)
		if err != nil || string(got) != string(body) || request.ContentLength != int64(len(body)) {
			t.Errorf("body is %q of length %d (%v), want %q", got, request.ContentLength, err, body)
		}
		if request.Method != http.MethodPut || request.URL.RawQuery != "a=%20b&a&c=%zz" {
			t.Errorf("request is %s ?%s", request.Method, request.URL.RawQuery)
		}
	}
}

func TestBuildLeavesTheEventAlone(t *testing.T) {
	t.Parallel()
	ev := sample()
	ev.Header["Connection"] = []string{"X-Hop"}
	ev.Header["X-Hop"] = []string{"1"}
	before := ev.Header.Clone()
	request := build(t, ev, outbound.Try{Number: 1}, cloudEvents)
	request.Header.Add("Content-Type", "text/plain")
	if !maps.EqualFunc(ev.Header, before, slices.Equal) {
		t.Errorf("the event's headers became %v", ev.Header)
	}
}

func TestBuildHeaderRules(t *testing.T) {
	t.Parallel()
	ev := sample()
	dropped := []string{
		"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "Http2-Settings", "Expect", "Host", "Content-Length", "Forwarded", "X-Real-Ip",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Prefix", "X_forwarded_for", "X-Forwarded_proto",
		"Postern-Replay", "Postern-Anything", "Postern_verified", "Postern.verified",
		"Via", "True-Client-Ip", "Tracestate", "Accept-Encoding", "X-Listed", "X-Other",
	}
	kept := []string{
		"X-Github-Event", "X-Hub-Signature-256", "Content-Encoding", "Accept", "Origin", "X-Forward", "Posterna", "Cookie",
		"Date", "Ce-Id", "Webhook-Id", "X_custom",
	}
	for _, name := range slices.Concat(dropped, kept) {
		ev.Header[name] = []string{"sender", "twice"}
	}
	ev.Header["Connection"] = []string{"close, x-listed", "X-Other"}
	header := build(t, ev, outbound.Try{Number: 1}, nil).Header
	for _, name := range dropped {
		if got, ok := header[name]; ok {
			t.Errorf("%s went on to the target: %v", name, got)
		}
	}
	for _, name := range kept {
		if !slices.Equal(header[name], []string{"sender", "twice"}) {
			t.Errorf("%s is %v, want it as the sender sent it", name, header[name])
		}
	}
}

// TestBuildReplacesEverySpelling: what a target reads as a CloudEvent's
// attribute or as Postern's signature is never the sender's.
func TestBuildReplacesEverySpelling(t *testing.T) {
	t.Parallel()
	ev := sample()
	forged := []string{
		"Ce_id", "ce.type", "Ce_anything", "CE~SOURCE", "Webhook_id", "webhook.signature", "WEBHOOK~TIMESTAMP",
	}
	for _, name := range forged {
		ev.Header[name] = []string{"forged"}
	}
	header := build(t, ev, outbound.Try{Number: 1}, func(target *route.Target) {
		cloudEvents(target)
		target.SigningKey = route.SecretBytes("key of the target")
	}).Header
	for _, name := range forged {
		if got, ok := header[name]; ok {
			t.Errorf("%s went on to the target: %v", name, got)
		}
	}
	for _, name := range []string{"Ce-Id", "Ce-Type", "Ce-Source", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		if got := header.Get(name); got == "" || got == "forged" {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestBuildKeepsAcceptEncodingForRelayedAnswers(t *testing.T) {
	t.Parallel()
	ev := sample()
	ev.Header["Accept-Encoding"] = []string{"br"}
	header := build(t, ev, outbound.Try{Number: 1, Relayed: true}, nil).Header
	if header.Get("Accept-Encoding") != "br" {
		t.Errorf("Accept-Encoding is %q, want br", header.Get("Accept-Encoding"))
	}
}

func TestBuildSendsNoUserAgentOfItsOwn(t *testing.T) {
	t.Parallel()
	ev := sample()
	delete(ev.Header, "User-Agent")
	var wire strings.Builder
	if err := build(t, ev, outbound.Try{Number: 1}, nil).Write(&wire); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(wire.String()), "user-agent") {
		t.Errorf("the request names a user agent:\n%s", wire.String())
	}
}
