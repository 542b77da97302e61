package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/postern-dev/postern/receiver/deliver/policy"
)

// resolver answers every question for an address with the next of its answers,
// which may be kept for no time at all, as whoever rebinds a name does.
func resolver(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	var asked atomic.Int64
	go func() {
		packet := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(packet)
			if err != nil {
				return
			}
			var question dnsmessage.Message
			if question.Unpack(packet[:n]) != nil || len(question.Questions) != 1 {
				continue
			}
			reply := dnsmessage.Message{Header: question.Header, Questions: question.Questions}
			reply.Response = true
			if q := question.Questions[0]; q.Type == dnsmessage.TypeA {
				next := answers[min(int(asked.Add(1)), len(answers))-1]
				reply.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0},
					Body:   &dnsmessage.AResource{A: netip.MustParseAddr(next).As4()},
				}}
			}
			if packed, err := reply.Pack(); err == nil {
				_, _ = server.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// TestReboundNamesAreRefused: a name that led to a permitted address when it was
// looked at leads elsewhere when it is dialled. The address that is dialled is
// the one that is judged.
func TestReboundNamesAreRefused(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request reached a loopback address")
	}))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	for _, denied := range []string{"127.0.0.1", "169.254.169.254", "0.0.0.0", "100.100.100.200"} {
		names := resolver(t, "192.0.2.1", denied)
		looked, err := names.LookupHost(t.Context(), "builder.ci.svc.cluster.local.")
		if err != nil || len(looked) != 1 || looked[0] != "192.0.2.1" {
			t.Fatalf("the first look-up answers %v, %v", looked, err)
		}
		transport := newTransport(Network{}.dial(false))
		transport.DialContext = (&net.Dialer{Timeout: dialTimeout, Control: guard{}.control, Resolver: names}).DialContext
		request := httptest.NewRequest(http.MethodPost, "http://builder.ci.svc.cluster.local.:"+port+"/", nil)
		request.RequestURI = ""
		response, err := transport.RoundTrip(request)
		if response != nil {
			_ = response.Body.Close()
		}
		if !errors.Is(err, policy.ErrForbiddenAddress) {
			t.Errorf("rebound to %s: got %v, want ErrForbiddenAddress", denied, err)
		}
		transport.CloseIdleConnections()
	}
}

// TestSpellingsOfLoopback: what some resolvers take for an address, and what a
// name of a Service can never be.
func TestSpellingsOfLoopback(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request reached a loopback address")
	}))
	defer server.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	transport := newTransport(Network{}.dial(false))
	defer transport.CloseIdleConnections()
	for _, host := range []string{
		"2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "127.1", "0", "[0:0:0:0:0:ffff:7f00:1]", "[::127.0.0.1]",
	} {
		request := httptest.NewRequest(http.MethodPost, "http://"+host+":"+port+"/", nil)
		request.RequestURI = ""
		response, err := transport.RoundTrip(request)
		if response != nil {
			_ = response.Body.Close()
		}
		if err == nil {
			t.Errorf("%s was reached", host)
		}
	}
}
