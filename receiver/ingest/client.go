package ingest

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientOf returns the address that the request came from; it is not valid when
// the server does not know its peer's.
func (h *Handler) clientOf(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ClientAddr(peer.Addr(), r.Header.Values("X-Forwarded-For"), h.TrustedProxies)
}

// checkClient refuses those whom the endpoint does not accept requests from.
func (h *Handler) checkClient(x *exchange) (*answer, error) {
	if !x.endpoint.Allows(x.client) {
		return nil, &Refusal{Reason: ReasonIPNotAllowed}
	}
	return nil, nil
}

// ClientAddr returns the address that a request came from: the peer's, unless
// the peer is a trusted proxy. Then X-Forwarded-For is read from the right, as
// each proxy appended to it, up to the first address that is not a trusted
// proxy's. What stands left of that was written by the client and says nothing.
//
// An entry that is no address ends the walk: the result is the proxy that
// wrote it. Addresses come back without zone, IPv4 never mapped into IPv6.
func ClientAddr(peer netip.Addr, forwardedFor []string, trusted []netip.Prefix) netip.Addr {
	client := normalised(peer)
	if len(forwardedFor) == 0 || !IsTrusted(client, trusted) {
		return client
	}
	for _, line := range slices.Backward(forwardedFor) {
		for more := true; more; {
			var hop string
			line, hop, more = cutLast(line)
			addr, ok := parseHop(hop)
			if !ok {
				return client
			}
			client = addr
			if !IsTrusted(client, trusted) {
				return client
			}
		}
	}
	return client
}

// cutLast splits off the part after the last comma.
func cutLast(line string) (rest, last string, more bool) {
	i := strings.LastIndexByte(line, ',')
	if i < 0 {
		return "", line, false
	}
	return line[:i], line[i+1:], true
}

// parseHop reads one entry: an address, bare or in brackets, or with a port,
// as some proxies write it.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.Trim(text, " \t")
	if addr, err := netip.ParseAddr(text); err == nil {
		return normalised(addr), true
	}
	if hostPort, err := netip.ParseAddrPort(text); err == nil {
		return normalised(hostPort.Addr()), true
	}
	inner, ok := strings.CutPrefix(text, "[")
	if !ok {
		return netip.Addr{}, false
	}
	inner, ok = strings.CutSuffix(inner, "]")
	if !ok {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(inner)
	return normalised(addr), err == nil && addr.Is6()
}

func normalised(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// ClientKey is the address that counts as one client: of IPv6 the network of 64
// bits, because one client has all of its addresses.
func ClientKey(addr netip.Addr) netip.Addr {
	addr = normalised(addr)
	if !addr.Is6() {
		return addr
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.Addr()
}

// IsTrusted tells whether the address is one of a trusted proxy.
func IsTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}
