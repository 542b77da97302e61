package outbound

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/postern-dev/postern/receiver/deliver/policy"
)

// metadata are the addresses of clouds' instance services that lie outside the
// link-local ranges.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // AWS
	netip.MustParseAddr("fd20:ce::254"),    // Google Cloud
	netip.MustParseAddr("100.100.100.200"), // Alibaba Cloud
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle Cloud
}

// Ranges in which an IPv4 address hides inside an IPv6 one, and the offset of
// its four bytes.
var embedded = []struct {
	prefix netip.Prefix
	offset int
}{
	{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // IPv4-translated
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12},  // NAT64, local use
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4
}

var (
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	broadcast   = netip.MustParseAddr("255.255.255.255")
	siteLocal   = netip.MustParsePrefix("fec0::/10")
)

// guard refuses connections by the address that a name resolved to, at the
// moment of dialling, so that no later answer of the resolver can change it.
type guard struct {
	deny          []netip.Prefix
	allowLoopback bool
}

// Control returns the deny-list in the shape of net.Dialer.Control, for other
// connections whose address a tenant chooses.
func (n Network) Control() func(network, address string, conn syscall.RawConn) error {
	return guard{deny: n.Deny, allowLoopback: n.AllowLoopback}.control
}

// control has the shape of net.Dialer.Control.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q is not an IP address and port", policy.ErrForbiddenAddress, address)
	}
	if reason := g.refuse(target.Addr()); reason != "" {
		return fmt.Errorf("%w: %s is %s", policy.ErrForbiddenAddress, target.Addr(), reason)
	}
	return nil
}

// refuse says what is wrong with an address; empty when nothing is.
func (g guard) refuse(addr netip.Addr) string {
	addr = addr.Unmap().WithZone("")
	switch {
	case addr.IsLoopback():
		if g.allowLoopback {
			return ""
		}
		return "a loopback address"
	case addr.IsUnspecified(), thisNetwork.Contains(addr), addr == broadcast:
		return "not the address of a host"
	case addr.IsLinkLocalUnicast(), siteLocal.Contains(addr):
		return "a link-local address"
	case addr.IsMulticast():
		return "a multicast address"
	case slices.Contains(metadata, addr):
		return "a cloud metadata service"
	case slices.ContainsFunc(g.deny, func(p netip.Prefix) bool { return p.Contains(addr) }):
		return "denied by configuration"
	}
	if inner, ok := embeddedIPv4(addr); ok {
		return g.refuse(inner)
	}
	return ""
}

func embeddedIPv4(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return netip.Addr{}, false
	}
	bytes := addr.As16()
	for _, form := range embedded {
		if form.prefix.Contains(addr) {
			inner, ok := netip.AddrFromSlice(bytes[form.offset : form.offset+4])
			return inner, ok
		}
	}
	return netip.Addr{}, false
}
