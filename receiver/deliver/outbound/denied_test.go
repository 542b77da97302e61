package outbound

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/deliver/http1"
	"github.com/postern-dev/postern/receiver/deliver/policy"
)

func TestGuardRefusesAddresses(t *testing.T) {
	t.Parallel()
	guard := guard{deny: []netip.Prefix{netip.MustParsePrefix("10.96.0.1/32"), netip.MustParsePrefix("fd00:10:96::/112")}}
	for address, refused := range map[string]bool{
		"10.0.0.7": false, "10.96.0.2": false, "172.16.3.4": false, "192.168.1.1": false, "93.184.216.34": false,
		"fd12:3456::1": false, "2001:db8::1": false, "64:ff9b::a00:7": false, "100.64.0.1": false, "::ffff:10.0.0.7": false,

		"127.0.0.1": true, "127.255.255.254": true, "::1": true,
		"::ffff:127.0.0.1": true, "::ffff:7f00:1": true, "::127.0.0.1": true, "::ffff:0:127.0.0.1": true,
		"64:ff9b::7f00:1": true, "64:ff9b:1::127.0.0.1": true, "2002:7f00:1::": true,

		"0.0.0.0": true, "0.1.2.3": true, "::": true, "::ffff:0.0.0.0": true, "255.255.255.255": true,
		"169.254.169.254": true, "169.254.0.1": true, "::ffff:169.254.169.254": true, "64:ff9b::a9fe:a9fe": true,
		"2002:a9fe:a9fe::1": true, "fe80::1": true, "fe80::1%eth0": true, "fec0::1": true,
		"224.0.0.1": true, "239.255.255.250": true, "ff02::1": true, "ff0e::1": true, "::ffff:224.0.0.1": true,

		"fd00:ec2::254": true, "fd20:ce::254": true, "100.100.100.200": true, "168.63.129.16": true, "192.0.0.192": true,
		"::ffff:168.63.129.16": true,

		"10.96.0.1": true, "::ffff:10.96.0.1": true, "64:ff9b::10.96.0.1": true, "fd00:10:96::1": true,
	} {
		err := guard.control("tcp", net.JoinHostPort(address, "80"), nil)
		if errors.Is(err, policy.ErrForbiddenAddress) != refused {
			t.Errorf("%s: refused %v, want %v (%v)", address, err != nil, refused, err)
		}
	}
}

func TestGuardAllowsLoopbackOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	guard := guard{allowLoopback: true}
	for address, refused := range map[string]bool{
		"127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": true, "169.254.169.254": true,
	} {
		err := guard.control("tcp", net.JoinHostPort(address, "80"), nil)
		if (err != nil) != refused {
			t.Errorf("%s: got %v, want refused %v", address, err, refused)
		}
	}
}

func TestGuardRefusesWhatIsNoAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "localhost:80", "/run/docker.sock", "10.0.0.1", "0x7f000001:80", "2130706433:80",
	} {
		if err := (guard{}).control("tcp", address, nil); !errors.Is(err, policy.ErrForbiddenAddress) {
			t.Errorf("%q: got %v, want ErrForbiddenAddress", address, err)
		}
	}
}

// TestTransportsNeverReachLoopback: neither that of small bodies nor that of large ones.
func TestTransportsNeverReachLoopback(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request reached a loopback address")
	}))
	defer server.Close()
	transport := newLine(Network{}.dial(false))
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"} {
		for _, body := range []string{"x", strings.Repeat("x", http1.MaxBodyBytes+1)} {
			request := httptest.NewRequest(http.MethodPost, "http://"+host+":"+port+"/", strings.NewReader(body))
			request.RequestURI = ""
			response, err := transport.RoundTrip(request)
			if response != nil {
				_ = response.Body.Close()
			}
			if !errors.Is(err, policy.ErrForbiddenAddress) || !errors.Is(err, policy.ErrUnreached) {
				t.Errorf("%s with %d bytes: got %v, want ErrForbiddenAddress", host, len(body), err)
			}
		}
	}
}

func TestTransportUsesNoProxy(t *testing.T) {
	t.Parallel()
	if newTransport(Network{}.dial(false)).Proxy != nil {
		t.Error("the transport would use a proxy from the environment")
	}
}
