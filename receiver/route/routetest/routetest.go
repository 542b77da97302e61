// Package routetest makes valid routes for tests, and requests signed as the
// providers sign them.
//
// Tests import it; nothing else does. It imports route and the standard library.
package routetest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Key is the secret of the endpoints made here.
const Key = "It's a Secret to Everybody"

// GitHub returns an endpoint ci/<name> of the provider github with one target,
// changed by the edits.
func GitHub(name string, edits ...func(*route.Endpoint)) *route.Endpoint {
	endpoint := &route.Endpoint{
		SchemaVersion: route.SchemaVersion,
		UID:           "uid-" + name,
		Namespace:     "ci",
		Name:          name,
		Generation:    1,
		Path:          "/ci/" + name,
		Source:        route.Source{Provider: "github", Enforcement: route.EnforcementEnforce},
		Keys:          []route.Key{{Name: "current", Value: route.SecretBytes(Key)}},
		SecretVersion: "1",
		MaxBodyBytes:  1 << 20,
		Deduplication: route.Deduplication{WindowSeconds: 3600, ReplayGuard: route.ReplayGuardNone},
		Delivery:      route.DeliveryQueued,
		Retry:         route.Retry{InitialBackoffSeconds: 1, MaxBackoffSeconds: 600, MaxAgeSeconds: 259200},
		HistoryLimit:  100,
		Targets:       []route.Target{Target("builder")},
	}
	for _, edit := range edits {
		edit(endpoint)
	}
	return endpoint
}

// Provider makes an endpoint one of another provider.
func Provider(provider string) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.Source.Provider = provider }
}

// Target returns a target that takes every event.
func Target(name string, edits ...func(*route.Target)) route.Target {
	target := route.Target{
		Name: name, Namespace: "ci", Service: name, Port: 80, Path: "/hook",
		Format: route.FormatOriginal, TimeoutSeconds: 15, MaxInFlight: 32,
	}
	for _, edit := range edits {
		edit(&target)
	}
	return target
}

// SignGitHub sets the headers that GitHub sends with a delivery.
func SignGitHub(header http.Header, key, id, event string, body []byte) {
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "GitHub-Hookshot/044aadd")
	header.Set("X-GitHub-Delivery", id)
	header.Set("X-GitHub-Event", event)
	header.Set("X-Hub-Signature-256", "sha256="+mac(key, body))
}

// SignSlack sets the headers that Slack sends with an event.
func SignSlack(header http.Header, key string, at time.Time, body []byte) {
	header.Set("Content-Type", "application/json")
	header.Set("X-Slack-Request-Timestamp", fmt.Sprint(at.Unix()))
	header.Set("X-Slack-Signature", "v0="+mac(key, fmt.Appendf(nil, "v0:%d:%s", at.Unix(), body)))
}

// SignStripe sets the header that Stripe sends with an event.
func SignStripe(header http.Header, key string, at time.Time, body []byte) {
	header.Set("Content-Type", "application/json; charset=utf-8")
	signature := mac(key, fmt.Appendf(nil, "%d.%s", at.Unix(), body))
	header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=%s,v0=%s", at.Unix(), signature, mac("other", body)))
}

func mac(key string, content []byte) string {
	hash := hmac.New(sha256.New, []byte(key))
	hash.Write(content)
	return hex.EncodeToString(hash.Sum(nil))
}
