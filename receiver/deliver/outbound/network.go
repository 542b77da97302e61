// Package outbound makes and sends the request that a target gets: its
// headers, its format and signature, and a connection that never leads to an
// address a tenant must not reach.
//
// It imports event, route and the words of policy; it knows neither queues nor
// schedules.
package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"

	"github.com/postern-dev/postern/receiver/deliver/policy"
)

// Network says how targets are reached.
type Network struct {
	// ClusterDomain ends the names of Services; empty means cluster.local.
	ClusterDomain string
	// Forward sends what is meant for a Service, keyed namespace/service, to a
	// URL instead; such a URL may point to loopback.
	Forward map[string]*url.URL
	// ForwardAll is where everything else is sent, likewise; nil means to the
	// Services themselves.
	ForwardAll *url.URL
	// AllowLoopback lets every target resolve to loopback, for development.
	AllowLoopback bool
	// Dial replaces the way connections are made, and with it the deny-list; nil,
	// the default, is the only safe value outside tests.
	Dial Dial
	// Deny are further addresses that no target may resolve to, such as the API
	// server's; see [APIServer].
	Deny []netip.Prefix
}

// Dial makes connections as [net.Dialer.DialContext] does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// dial returns what makes connections; its errors are [policy.ErrUnreached].
func (n Network) dial(allowLoopback bool) Dial {
	connect := n.Dial
	if connect == nil {
		guard := guard{deny: n.Deny, allowLoopback: allowLoopback}
		connect = (&net.Dialer{Timeout: dialTimeout, Control: guard.control}).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := connect(ctx, network, address)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", policy.ErrUnreached, err)
		}
		return conn, nil
	}
}

// APIServer returns the addresses of the API server as the environment of a
// pod tells them, for [Network.Deny]; none outside a cluster.
func APIServer() []netip.Prefix {
	addr, err := netip.ParseAddr(os.Getenv("KUBERNETES_SERVICE_HOST"))
	if err != nil {
		return nil
	}
	addr = addr.Unmap()
	return []netip.Prefix{netip.PrefixFrom(addr, addr.BitLen())}
}
