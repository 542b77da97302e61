package outbound

import (
	"encoding/base64"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

const defaultClusterDomain = "cluster.local"

// Destination is a target as the network sees it, computed once per route.
type Destination struct {
	// base is the URL without the query.
	base url.URL
	// host is the Host header.
	host       string
	format     route.Format
	signingKey []byte
	timeout    time.Duration
	// forwarded marks an override of [Network.Forward], which may reach loopback.
	forwarded bool
}

// Timeout bounds one attempt.
func (d *Destination) Timeout() time.Duration { return d.timeout }

// Address identifies where the destination is.
func (d *Destination) Address() string {
	return d.base.Scheme + "://" + d.base.Host + d.base.EscapedPath()
}

// dialAddress is what a connection is made to.
func (d *Destination) dialAddress() string {
	if d.base.Port() != "" {
		return d.base.Host
	}
	return net.JoinHostPort(d.base.Hostname(), d.base.Scheme)
}

// Destination computes where a target is.
func (n Network) Destination(target *route.Target) *Destination {
	destination := &Destination{
		format:     target.Format,
		signingKey: signingKey(target.SigningKey),
		timeout:    time.Duration(target.TimeoutSeconds) * time.Second,
	}
	if forward := n.forward(target); forward != nil {
		destination.forwarded = true
		destination.base = url.URL{Scheme: forward.Scheme, Host: forward.Host}
		destination.host = forward.Host
		destination.setPath(forwardPath(forward, target.Path))
		return destination
	}
	domain := n.ClusterDomain
	if domain == "" {
		domain = defaultClusterDomain
	}
	name := target.Service + "." + target.Namespace + ".svc." + strings.Trim(domain, ".")
	port := strconv.Itoa(target.Port)
	// The root dot keeps the resolver from trying the pod's search domains
	// first, which costs several look-ups and lets another name win.
	destination.base = url.URL{Scheme: "http", Host: net.JoinHostPort(name+".", port)}
	destination.setPath(target.Path)
	destination.host = net.JoinHostPort(name, port)
	if target.Port == 80 {
		destination.host = name
	}
	return destination
}

// forward is the URL that stands in for the target's Service; nil without one.
func (n Network) forward(target *route.Target) *url.URL {
	if forward := n.Forward[target.Namespace+"/"+target.Service]; forward != nil {
		return forward
	}
	return n.ForwardAll
}

// forwardPath puts the target's path below the override's own. The default
// path adds nothing, so that an override names the very place it means.
func forwardPath(forward *url.URL, path string) string {
	if path == "/" && forward.Path != "" {
		return forward.EscapedPath()
	}
	return strings.TrimSuffix(forward.EscapedPath(), "/") + path
}

// setPath keeps an escaped path as it was written.
func (d *Destination) setPath(path string) {
	d.base.Path = path
	if parsed, err := url.ParseRequestURI(path); err == nil {
		d.base.Path, d.base.RawPath = parsed.Path, parsed.RawPath
	}
}

// signingKey decodes a Standard Webhooks secret; what does not have that form
// is used as it is.
func signingKey(secret route.SecretBytes) []byte {
	encoded, ok := strings.CutPrefix(strings.TrimSpace(string(secret)), "whsec_")
	if !ok {
		return secret
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return secret
	}
	return key
}
