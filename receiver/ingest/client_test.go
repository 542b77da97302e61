package ingest_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/ingest"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

var trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

func TestClientAddr(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		peer    string
		headers []string
		want    string
	}{
		"no proxy":          {peer: "203.0.113.1", want: "203.0.113.1"},
		"no proxy, spoofed": {peer: "203.0.113.1", headers: []string{"192.0.2.1"}, want: "203.0.113.1"},
		"mapped peer":       {peer: "::ffff:203.0.113.1", want: "203.0.113.1"},
		"proxy":             {peer: "10.0.0.1", headers: []string{"192.0.2.1"}, want: "192.0.2.1"},
		"mapped proxy":      {peer: "::ffff:10.0.0.1", headers: []string{"192.0.2.1"}, want: "192.0.2.1"},
		"two proxies":       {peer: "10.0.0.1", headers: []string{"192.0.2.1, 10.0.0.2"}, want: "192.0.2.1"},
		"spoofed through a proxy": {
			peer: "10.0.0.1", headers: []string{"198.51.100.1, 192.0.2.1, 10.0.0.2"}, want: "192.0.2.1",
		},
		"trusted one spoofed": {peer: "10.0.0.1", headers: []string{"10.0.0.9, 192.0.2.1"}, want: "192.0.2.1"},
		"several lines": {
			peer: "10.0.0.1", headers: []string{"198.51.100.1", "192.0.2.1", "10.0.0.2"}, want: "192.0.2.1",
		},
		"only proxies":              {peer: "10.0.0.1", headers: []string{"10.0.0.3, 10.0.0.2"}, want: "10.0.0.3"},
		"empty header":              {peer: "10.0.0.1", headers: []string{""}, want: "10.0.0.1"},
		"garbage":                   {peer: "10.0.0.1", headers: []string{"192.0.2.1, unknown"}, want: "10.0.0.1"},
		"garbage further left":      {peer: "10.0.0.1", headers: []string{"unknown, 10.0.0.2"}, want: "10.0.0.2"},
		"garbage before the client": {peer: "10.0.0.1", headers: []string{"<script>, 192.0.2.1"}, want: "192.0.2.1"},
		"empty entry":               {peer: "10.0.0.1", headers: []string{"192.0.2.1,,10.0.0.2"}, want: "10.0.0.2"},
		"with a port":               {peer: "10.0.0.1", headers: []string{"192.0.2.1:1234"}, want: "192.0.2.1"},
		"IPv6":                      {peer: "fd00::1", headers: []string{"2001:db8::1"}, want: "2001:db8::1"},
		"IPv6 in brackets":          {peer: "fd00::1", headers: []string{"[2001:db8::1]"}, want: "2001:db8::1"},
		"IPv6 with a port":          {peer: "fd00::1", headers: []string{"[2001:db8::1]:443"}, want: "2001:db8::1"},
		"IPv6 with a zone":          {peer: "fd00::1", headers: []string{"fe80::1%eth0"}, want: "fe80::1"},
		"mapped client":             {peer: "10.0.0.1", headers: []string{"::ffff:192.0.2.1"}, want: "192.0.2.1"},
		"mapped proxy in the header": {
			peer: "10.0.0.1", headers: []string{"192.0.2.1, ::ffff:10.0.0.2"}, want: "192.0.2.1",
		},
		"tabs and spaces": {
			peer: "10.0.0.1", headers: []string{" \t192.0.2.1 ,\t10.0.0.2 "}, want: "192.0.2.1",
		},
		"IPv4 in brackets":             {peer: "10.0.0.1", headers: []string{"[192.0.2.1]"}, want: "10.0.0.1"},
		"octal is no address":          {peer: "10.0.0.1", headers: []string{"0300.0.2.1"}, want: "10.0.0.1"},
		"decimal is no address":        {peer: "10.0.0.1", headers: []string{"3221225985"}, want: "10.0.0.1"},
		"other whitespace is no space": {peer: "10.0.0.1", headers: []string{"\u00a0192.0.2.1"}, want: "10.0.0.1"},
	} {
		got := ingest.ClientAddr(netip.MustParseAddr(test.peer), test.headers, trusted)
		if got.String() != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

// TestClientAddrProperty: whatever a client writes into the header, the result
// is the address that the first trusted proxy saw.
func TestClientAddrProperty(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 11))
	for range 20_000 {
		client := randomAddr(random, false)
		lines := forged(random)
		peer := client
		for range random.IntN(4) { // each proxy appends the one it got the request from
			lines = appended(random, lines, peer.String())
			peer = randomAddr(random, true)
		}
		if got := ingest.ClientAddr(peer, lines, trusted); got != client {
			t.Fatalf("peer %s, lines %q: client %s, want %s", peer, lines, got, client)
		}
	}
}

func randomAddr(random *rand.Rand, proxy bool) netip.Addr {
	for {
		var addr netip.Addr
		switch {
		case proxy && random.IntN(2) == 0:
			addr = netip.AddrFrom4([4]byte{10, byte(random.Uint32()), byte(random.Uint32()), byte(random.Uint32())})
		case proxy:
			addr = netip.AddrFrom16([16]byte{0: 0xfd, 15: byte(random.Uint32())})
		case random.IntN(2) == 0:
			n := random.Uint32()
			addr = netip.AddrFrom4([4]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
		default:
			addr = netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 14: byte(random.Uint32()), 15: byte(random.Uint32())})
		}
		isProxy := slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
		if isProxy == proxy {
			return addr
		}
	}
}

func forged(random *rand.Rand) []string {
	var lines []string
	for range random.IntN(4) {
		var hops []string
		for range random.IntN(5) {
			switch random.IntN(4) {
			case 0:
				hops = append(hops, randomAddr(random, true).String())
			case 1:
				hops = append(hops, randomAddr(random, false).String())
			case 2:
				hops = append(hops, "")
			default:
				hops = append(hops, fmt.Sprintf("x%d:[%%", random.Int()))
			}
		}
		lines = append(lines, strings.Join(hops, ","))
	}
	return lines
}

// appended adds a hop as proxies do: to the last line, or as a line of its own.
func appended(random *rand.Rand, lines []string, hop string) []string {
	if len(lines) == 0 || random.IntN(2) == 0 {
		return append(lines, hop)
	}
	lines[len(lines)-1] += ", " + hop
	return lines
}

func TestAllowedThroughATrustedProxy(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{}, routetest.GitHub("hook", ranges("192.0.2.0/24")))
	request := r.push("/ci/hook", "1", payload)
	request.Header.Set("X-Forwarded-For", "198.51.100.9, 192.0.2.7")
	if got := r.do(t, request); got.status != 200 {
		t.Errorf("answer %d %s", got.status, got.body)
	}
	if result := <-r.results; result.Client.String() != "192.0.2.7" {
		t.Errorf("client is %s", result.Client)
	}
}

func TestNobodyIsTrustedByDefault(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, ingest.Options{TrustedProxies: []netip.Prefix{}}, routetest.GitHub("hook", ranges("192.0.2.0/24")))
	request := r.push("/ci/hook", "1", payload)
	request.Header.Set("X-Forwarded-For", "192.0.2.7")
	if got := r.do(t, request); got.status != 403 {
		t.Errorf("answer %d %s", got.status, got.body)
	}
}

func FuzzClientAddr(f *testing.F) {
	f.Add("10.0.0.1", "192.0.2.1, 10.0.0.2", "")
	f.Add("fd00::1", "[2001:db8::1]:443,", "fe80::1%eth0")
	f.Add("203.0.113.1", "unknown", ",,,")
	f.Fuzz(func(t *testing.T, peer, first, second string) {
		addr, err := netip.ParseAddr(peer)
		if err != nil {
			return
		}
		got := ingest.ClientAddr(addr, []string{first, second}, trusted)
		if !got.IsValid() || got.Is4In6() || got.Zone() != "" {
			t.Fatalf("client is %#v", got)
		}
		direct := addr.Unmap().WithZone("")
		isProxy := slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(direct) })
		if !isProxy && got != direct {
			t.Fatalf("the header of %s was believed: %s", addr, got)
		}
		if got != direct && !strings.Contains(first+","+second, ".") && !strings.Contains(first+","+second, ":") {
			t.Fatalf("%s is in no line", got)
		}
	})
}
