package world

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/traffic"
)

// Endpoint is a WebhookEndpoint of a run: what the history says of it and what
// the object needs beyond that.
type Endpoint struct {
	history.Endpoint
	// Keys are what requests may be signed with, the first one first.
	Keys [][]byte
	// MaxInFlight bounds the attempts of each target; 0 means the default.
	MaxInFlight int
	// Path is that of the object; empty means the default.
	Path string
	// History is how many delivered events are kept; 0 means the default.
	History int
	Suspend bool
	// Absent are targets that the object does not name for now.
	Absent []string
}

// Namespace and Object are the two parts of the name.
func (e *Endpoint) Namespace() string { return e.part(0) }

// Object is the name without its namespace.
func (e *Endpoint) Object() string { return e.part(1) }

func (e *Endpoint) part(n int) string { return strings.SplitN(e.Name, "/", 2)[n] }

// Service is the name of the Service of one target.
func (e *Endpoint) Service(target string) string { return e.Object() + "-" + target }

// Secret is the manifest of the keys.
func (e *Endpoint) Secret() string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: %s}\ndata:\n",
		e.Object(), e.Namespace())
	for i, key := range e.Keys {
		fmt.Fprintf(&b, "  key%d: %s\n", i, base64.StdEncoding.EncodeToString(traffic.SecretOf(e.Provider, key)))
	}
	return b.String()
}

// Surroundings are the manifests of namespace and Services.
func (e *Endpoint) Surroundings() string {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n", e.Namespace())
	for _, target := range e.Targets {
		b.WriteString("---\napiVersion: v1\nkind: Service\n")
		fmt.Fprintf(&b, "metadata: {name: %s, namespace: %s}\nspec: {ports: [{port: 80}]}\n",
			e.Service(target.Name), e.Namespace())
	}
	return b.String()
}

// Manifest is the WebhookEndpoint.
func (e *Endpoint) Manifest() string {
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: %s, namespace: %s}
spec:
  source: {provider: %s}
  path: %q
  secretRef: {name: %s, keys: [key0, key1]}
  suspend: %t
  deduplication: {windowSeconds: %d}
  retry: {initialBackoffSeconds: %d, maxBackoffSeconds: %d, maxAgeSeconds: %d%s}
%s  targets:
`, e.Object(), e.Namespace(), e.Provider, e.Path, e.Object(), e.Suspend, e.DedupSeconds,
		e.Retry.InitialBackoffSeconds, e.Retry.MaxBackoffSeconds, e.Retry.MaxAgeSeconds,
		positive("maxAttempts", e.Retry.MaxAttempts), e.history())
	for _, target := range e.present() {
		fmt.Fprintf(&b, "  - {name: %s, service: {name: %s, port: 80}, timeoutSeconds: %d%s%s}\n",
			target.Name, e.Service(target.Name), target.TimeoutSeconds, eventTypes(target.Types),
			positive("maxInFlight", e.MaxInFlight))
	}
	return b.String()
}

func (e *Endpoint) history() string {
	if e.History == 0 {
		return ""
	}
	return fmt.Sprintf("  history: {limit: %d}\n", e.History)
}

// present are the targets that the object names.
func (e *Endpoint) present() []history.Target {
	var named []history.Target
	for _, target := range e.Targets {
		if !strings.Contains(" "+strings.Join(e.Absent, " ")+" ", " "+target.Name+" ") {
			named = append(named, target)
		}
	}
	return named
}

// Version is what the history says of the endpoint as it is.
func (e *Endpoint) Version(number int) *history.Endpoint {
	version := e.Endpoint
	version.Version, version.Targets = number, e.present()
	return &version
}

func positive(name string, value int) string {
	if value <= 0 {
		return ""
	}
	return fmt.Sprintf(", %s: %d", name, value)
}

func eventTypes(globs []string) string {
	if len(globs) == 0 {
		return ""
	}
	return ", eventTypes: [" + strings.Join(globs, ", ") + "]"
}
