package outbound_test

import (
	"net/netip"
	"net/url"
	"slices"
	"testing"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/route"
)

func TestDestination(t *testing.T) {
	t.Parallel()
	local := func(text string) map[string]*url.URL {
		parsed, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return map[string]*url.URL{"ci/builder": parsed}
	}
	for _, test := range []struct {
		name      string
		network   outbound.Network
		port      int
		path      string
		want      string
		host, uri string
	}{
		{"service", outbound.Network{}, 80, "/",
			"http://builder.ci.svc.cluster.local.:80/", "builder.ci.svc.cluster.local", "/?a=1"},
		{"port and path", outbound.Network{}, 8080, "/hooks/in",
			"http://builder.ci.svc.cluster.local.:8080/hooks/in", "builder.ci.svc.cluster.local:8080", "/hooks/in?a=1"},
		{"escaped path", outbound.Network{}, 80, "/a%2Fb/%20c",
			"http://builder.ci.svc.cluster.local.:80/a%2Fb/%20c", "builder.ci.svc.cluster.local", "/a%2Fb/%20c?a=1"},
		{"cluster domain", outbound.Network{ClusterDomain: "corp.example."}, 80, "/",
			"http://builder.ci.svc.corp.example.:80/", "builder.ci.svc.corp.example", "/?a=1"},
		{"forward", outbound.Network{Forward: local("http://localhost:3000")}, 80, "/in",
			"http://localhost:3000/in", "localhost:3000", "/in?a=1"},
		{"forward to a path", outbound.Network{Forward: local("http://localhost:3000/base")}, 80, "/",
			"http://localhost:3000/base", "localhost:3000", "/base?a=1"},
		{"forward below a path", outbound.Network{Forward: local("http://localhost:3000/base/")}, 80, "/in",
			"http://localhost:3000/base/in", "localhost:3000", "/base/in?a=1"},
		{"forward drops its query", outbound.Network{Forward: local("https://example.com/x?b=2#c")}, 80, "/",
			"https://example.com/x", "example.com", "/x?a=1"},
		{"forward all", outbound.Network{ForwardAll: local("http://localhost:3000")["ci/builder"]}, 80, "/in",
			"http://localhost:3000/in", "localhost:3000", "/in?a=1"},
		{"forward wins over forward all", outbound.Network{
			Forward: local("http://localhost:4000"), ForwardAll: local("http://localhost:3000")["ci/builder"],
		}, 80, "/in", "http://localhost:4000/in", "localhost:4000", "/in?a=1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			destination := test.network.Destination(&route.Target{
				Name: "builder", Namespace: "ci", Service: "builder", Port: test.port, Path: test.path, TimeoutSeconds: 1,
			})
			if got := destination.Address(); got != test.want {
				t.Errorf("address is %s, want %s", got, test.want)
			}
			ev := sample()
			ev.RawQuery = "a=1"
			request := outbound.Build(t.Context(), destination, ev, outbound.Try{Number: 1})
			if request.Host != test.host || request.URL.RequestURI() != test.uri {
				t.Errorf("request is for %s %s, want %s %s", request.Host, request.URL.RequestURI(), test.host, test.uri)
			}
		})
	}
}

func TestAPIServer(t *testing.T) {
	for value, want := range map[string][]netip.Prefix{
		"":                 nil,
		"kubernetes":       nil,
		"10.96.0.1":        {netip.MustParsePrefix("10.96.0.1/32")},
		"::ffff:10.96.0.1": {netip.MustParsePrefix("10.96.0.1/32")},
		"fd00::1":          {netip.MustParsePrefix("fd00::1/128")},
	} {
		t.Setenv("KUBERNETES_SERVICE_HOST", value)
		if got := outbound.APIServer(); !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}
