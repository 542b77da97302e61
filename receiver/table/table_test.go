package table_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/body"
	"github.com/postern-dev/postern/receiver/expr"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/table"
)

func build(t *testing.T, previous *table.Table, routes ...*route.Endpoint) *table.Table {
	t.Helper()
	next := table.Build(routes, previous)
	for uid, err := range next.Problems() {
		t.Fatalf("route %s: %v", uid, err)
	}
	return next
}

func hosts(names ...string) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.Hosts = names }
}

func path(path string) func(*route.Endpoint) {
	return func(e *route.Endpoint) { e.Path = path }
}

func TestLookup(t *testing.T) {
	t.Parallel()
	current := build(t, nil,
		routetest.GitHub("plain"),
		routetest.GitHub("shared", path("/ci/x")),
		routetest.GitHub("own", path("/ci/x"), hosts("own.example.com", "also.example.com")),
		routetest.GitHub("hosted", hosts("hooks.example.com")),
	)
	for _, test := range []struct{ host, path, want string }{
		{"any.example.com", "/ci/plain", "plain"},
		{"", "/ci/plain", "plain"},
		{"own.example.com", "/ci/x", "own"},
		{"also.example.com", "/ci/x", "own"},
		{"other.example.com", "/ci/x", "shared"},
		{"hooks.example.com", "/ci/hosted", "hosted"},
		{"other.example.com", "/ci/hosted", ""},
		{"any.example.com", "/ci/plain/", ""},
		{"any.example.com", "/ci/Plain", ""},
		{"any.example.com", "/", ""},
		{"any.example.com", "", ""},
	} {
		name := ""
		if endpoint, ok := current.Lookup(test.host, test.path); ok {
			name = endpoint.Route.Name
		}
		if name != test.want {
			t.Errorf("%s%s: endpoint %q, want %q", test.host, test.path, name, test.want)
		}
	}
	var none *table.Table
	if _, ok := none.Lookup("a", "/ci/plain"); ok || none.ByUID("uid-plain") != nil || none.Endpoints() != nil {
		t.Error("no table has endpoints")
	}
}

func TestUnchangedEndpointsAreCarriedOver(t *testing.T) {
	t.Parallel()
	limited := func(e *route.Endpoint) { e.RateLimit = &route.RateLimit{RequestsPerSecond: 1, Burst: 1} }
	first := build(t, nil, routetest.GitHub("a", limited), routetest.GitHub("b", limited))
	now := time.Now()
	if !first.ByUID("uid-a").Limiter.AllowN(now, 1) || !first.ByUID("uid-b").Limiter.AllowN(now, 1) {
		t.Fatal("the first request is over the limit")
	}
	second := build(t, first,
		routetest.GitHub("a", limited),
		routetest.GitHub("b", limited, func(e *route.Endpoint) { e.MaxBodyBytes = 7 }),
	)
	if second.ByUID("uid-a") != first.ByUID("uid-a") {
		t.Error("an unchanged endpoint was compiled again")
	}
	if second.ByUID("uid-b") == first.ByUID("uid-b") || second.ByUID("uid-b").Route.MaxBodyBytes != 7 {
		t.Error("a changed endpoint was carried over")
	}
	if second.ByUID("uid-b").Limiter.AllowN(now, 1) {
		t.Error("an edit elsewhere refilled the bucket")
	}
	third := build(t, second, routetest.GitHub("b", func(e *route.Endpoint) {
		e.RateLimit = &route.RateLimit{RequestsPerSecond: 1, Burst: 2}
	}))
	if !third.ByUID("uid-b").Limiter.AllowN(now, 1) {
		t.Error("another limit did not begin anew")
	}
	if third.ByUID("uid-a") != nil || len(third.Routes()) != 1 {
		t.Error("a removed endpoint is still there")
	}
}

func TestRotatedKeyIsAChange(t *testing.T) {
	t.Parallel()
	first := build(t, nil, routetest.GitHub("a"))
	second := build(t, first, routetest.GitHub("a", func(e *route.Endpoint) {
		e.Keys[0].Value = route.SecretBytes("rotated")
	}))
	if second.ByUID("uid-a") == first.ByUID("uid-a") {
		t.Error("an endpoint with another key was carried over")
	}
}

func TestBrokenRouteKeepsTheLastGoodOne(t *testing.T) {
	t.Parallel()
	first := build(t, nil, routetest.GitHub("a"), routetest.GitHub("b"))
	for name, edit := range map[string]func(*route.Endpoint){
		"unknown provider": routetest.Provider("nonesuch"),
		"no key":           func(e *route.Endpoint) { e.Keys = nil },
		"eventType":        func(e *route.Endpoint) { e.EventTypeExpression = "body." },
		"key":              func(e *route.Endpoint) { e.Deduplication.KeyExpression = "1 +" },
		"when":             func(e *route.Endpoint) { e.Targets[0].WhenExpression = "'text'" },
		"range":            func(e *route.Endpoint) { e.AllowedIPRanges = []string{"10.0.0.0/99"} },
	} {
		next := table.Build([]*route.Endpoint{routetest.GitHub("a", edit), routetest.GitHub("b")}, first)
		if next.ByUID("uid-a") != first.ByUID("uid-a") {
			t.Errorf("%s: the last good endpoint is not in force", name)
		}
		if err := next.Problems()["uid-a"]; err == nil || !strings.Contains(err.Error(), "ci/a") {
			t.Errorf("%s: problem is %v", name, err)
		}
		if len(next.Problems()) != 1 {
			t.Errorf("%s: problems %v", name, next.Problems())
		}
		// Mended, it comes into force again.
		mended := build(t, next, routetest.GitHub("a", func(e *route.Endpoint) { e.Generation = 9 }))
		if mended.ByUID("uid-a").Route.Generation != 9 {
			t.Errorf("%s: the mended route is not in force", name)
		}
	}
}

func TestBrokenRouteWithoutALastGoodOneIsUnavailable(t *testing.T) {
	t.Parallel()
	next := table.Build([]*route.Endpoint{routetest.GitHub("a", routetest.Provider("nonesuch"))}, nil)
	endpoint, ok := next.Lookup("", "/ci/a")
	if !ok || endpoint.Route.Unavailable == nil || endpoint.Route.Unavailable.Reason != table.ReasonRouteInvalid {
		t.Fatalf("endpoint is %+v, want one that is unavailable", endpoint)
	}
	if next.Problems()["uid-a"] == nil {
		t.Error("nothing says what is wrong")
	}
	if again := build(t, next, routetest.GitHub("a")); again.ByUID("uid-a").Route.Unavailable != nil {
		t.Error("the mended route is still unavailable")
	}
}

func TestPathConflictGoesToTheFirstByName(t *testing.T) {
	t.Parallel()
	next := table.Build([]*route.Endpoint{
		routetest.GitHub("z", path("/ci/x"), hosts("a.example.com")),
		routetest.GitHub("a", path("/ci/x"), hosts("a.example.com", "b.example.com")),
	}, nil)
	endpoint, _ := next.Lookup("a.example.com", "/ci/x")
	if endpoint == nil || endpoint.Route.Name != "a" {
		t.Errorf("the path went to %v", endpoint)
	}
	if err := next.Problems()["uid-z"]; err == nil || !strings.Contains(err.Error(), "taken by ci/a") {
		t.Errorf("problem is %v", err)
	}
}

func TestAllows(t *testing.T) {
	t.Parallel()
	current := build(t, nil, routetest.GitHub("any"), routetest.GitHub("some", func(e *route.Endpoint) {
		e.AllowedIPRanges = []string{"192.30.252.0/22", "2a0a:a440::/29", "::ffff:10.1.0.0/112", "203.0.113.7/32"}
	}))
	for text, want := range map[string]bool{
		"192.30.255.255": true, "192.31.0.0": false, "2a0a:a447::1": true, "2a0a:a448::": false,
		"10.1.2.3": true, "10.2.0.0": false, "203.0.113.7": true, "203.0.113.8": false,
	} {
		if got := current.ByUID("uid-some").Allows(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s allowed: %v, want %v", text, got, want)
		}
	}
	if current.ByUID("uid-some").Allows(netip.Addr{}) {
		t.Error("a client without an address is allowed")
	}
	if !current.ByUID("uid-any").Allows(netip.Addr{}) {
		t.Error("no ranges allow not everybody")
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	types := func(globs ...string) func(*route.Target) {
		return func(target *route.Target) { target.EventTypes = globs }
	}
	when := func(expression string) func(*route.Target) {
		return func(target *route.Target) { target.WhenExpression = expression }
	}
	for name, test := range map[string]struct {
		target    route.Target
		eventType string
		body      string
		want      bool
		fails     bool
	}{
		"everything":          {target: routetest.Target("t"), eventType: "push", want: true},
		"no type, everything": {target: routetest.Target("t"), want: true},
		"exact":               {target: routetest.Target("t", types("push")), eventType: "push", want: true},
		"other":               {target: routetest.Target("t", types("push")), eventType: "pushed"},
		"no type":             {target: routetest.Target("t", types("push"))},
		"star alone":          {target: routetest.Target("t", types("*")), eventType: "a.b/c", want: true},
		"prefix": {
			target: routetest.Target("t", types("pull_request.*")), eventType: "pull_request.x", want: true,
		},
		"prefix, not the stem": {target: routetest.Target("t", types("pull_request.*")), eventType: "pull_request"},
		"suffix":               {target: routetest.Target("t", types("*.created")), eventType: "a.created", want: true},
		"middle":               {target: routetest.Target("t", types("a*c*e")), eventType: "abcde", want: true},
		"overlapping ends":     {target: routetest.Target("t", types("ab*ba")), eventType: "aba"},
		"any of":               {target: routetest.Target("t", types("x", "p*")), eventType: "push", want: true},
		"no other wildcards":   {target: routetest.Target("t", types("p?sh", "[p]ush")), eventType: "push"},
		"when":                 {target: routetest.Target("t", when("body.n > 1")), body: `{"n":2}`, want: true},
		"when not":             {target: routetest.Target("t", when("body.n > 1")), body: `{"n":1}`},
		"when, key missing":    {target: routetest.Target("t", when("body.n > 1")), body: `{}`, fails: true},
		"when, not JSON":       {target: routetest.Target("t", when("body.n > 1")), body: `n=2`, fails: true},
		"when by header":       {target: routetest.Target("t", when("headers['x-a'] == '1'")), want: true},
		"when and type": {
			target: routetest.Target("t", types("pull"), when("true")), eventType: "push",
		},
		"when undecided": {
			target: routetest.Target("t", when("body.all(a, body.all(b, body.all(c, a + b + c >= 0)))")),
			body:   "[" + strings.Repeat("1,", 400) + "1]", fails: true,
		},
	} {
		current := build(t, nil, routetest.GitHub("a", func(e *route.Endpoint) {
			e.Targets = []route.Target{test.target}
		}))
		names, failed, err := current.ByUID("uid-a").Match(facts(test.eventType, test.body), nil)
		if (len(names) == 1) != test.want || (len(failed) == 1) != test.fails || (err != nil) != test.fails {
			t.Errorf("%s: targets %q, failed %q, error %v; want a match %v, a failure %v",
				name, names, failed, err, test.want, test.fails)
		}
	}
}

// facts are those of an event with a header X-A.
func facts(eventType, content string) *table.Facts {
	header := map[string][]string{"X-A": {"1"}}
	return table.NewFacts(expr.Event{Type: eventType}, expr.Request{
		Method: "POST", Header: header, Body: body.NewReader(header, []byte(content), body.Options{}),
	})
}

// Where the endpoint's own expression gave no type, the provider's is in force,
// and a target that it rules out may be one that the event is for.
func TestMatchWithoutAType(t *testing.T) {
	t.Parallel()
	untyped := errors.New("no such key: kind")
	current := build(t, nil, routetest.GitHub("a", func(e *route.Endpoint) {
		e.Targets = []route.Target{
			routetest.Target("all"),
			routetest.Target("pushes", func(t *route.Target) { t.EventTypes = []string{"push"} }),
			routetest.Target("paid", func(t *route.Target) { t.EventTypes = []string{"paid"} }),
			routetest.Target("when-push", func(t *route.Target) { t.WhenExpression = "event.type == 'push'" }),
			routetest.Target("when-paid", func(t *route.Target) { t.WhenExpression = "event.type == 'paid'" }),
			routetest.Target("when-n", func(t *route.Target) { t.WhenExpression = "body.n == 1" }),
			routetest.Target("when-both", func(t *route.Target) { t.WhenExpression = "event.type == 'paid' && body.n == 1" }),
		}
	}))
	names, failed, err := current.ByUID("uid-a").Match(facts("push", `{"n":2}`), untyped)
	if want := []string{"all", "pushes", "when-push"}; !slices.Equal(names, want) {
		t.Errorf("targets %q, want %q", names, want)
	}
	if want := []string{"paid", "when-paid"}; !slices.Equal(failed, want) || !errors.Is(err, untyped) {
		t.Errorf("failed %q, %v; want %q", failed, err, want)
	}
}

func TestExpressionsFallBack(t *testing.T) {
	t.Parallel()
	current := build(t, nil, routetest.GitHub("a", func(e *route.Endpoint) {
		e.EventTypeExpression = "'pull.' + body.action"
		e.Deduplication.KeyExpression = "body.key"
	}), routetest.GitHub("none"))
	endpoint := current.ByUID("uid-a")
	for _, test := range []struct {
		body, eventType, key string
		fails                bool
	}{
		{body: `{"action":"opened","key":"k"}`, eventType: "pull.opened", key: "k"},
		{body: `{"action":"opened","key":7}`, eventType: "pull.opened", key: "7"},
		{body: `{"action":"opened","key":""}`, eventType: "pull.opened", key: "delivery"},
		{body: `{"action":"opened","key":null}`, eventType: "pull.opened", key: "delivery"},
		{body: `{}`, eventType: "pull", key: "delivery", fails: true},
		{body: `a=b`, eventType: "pull", key: "delivery", fails: true},
	} {
		facts := facts("pull", test.body)
		eventType, err := endpoint.EventType(facts)
		if eventType != test.eventType || (err != nil) != test.fails {
			t.Errorf("%s: event type %q, %v; want %q", test.body, eventType, err, test.eventType)
		}
		key, err := endpoint.DedupKey(facts, "delivery")
		if key != test.key || (err != nil) != test.fails {
			t.Errorf("%s: key %q, %v; want %q", test.body, key, err, test.key)
		}
	}
	if eventType, err := current.ByUID("uid-none").EventType(facts("pull", "")); eventType != "pull" || err != nil {
		t.Errorf("without an expression the event type is %q, %v", eventType, err)
	}
}

func TestUnavailableRouteNeedsNoKeys(t *testing.T) {
	t.Parallel()
	current := build(t, nil, routetest.GitHub("a", func(e *route.Endpoint) {
		e.Keys, e.Targets = nil, nil
		e.Unavailable = &route.Unavailable{Reason: route.ReasonSecretUnavailable, Message: "it is gone"}
	}))
	if current.ByUID("uid-a") == nil {
		t.Fatal("the endpoint is not in the table")
	}
}

func TestCurrentSwaps(t *testing.T) {
	t.Parallel()
	var current table.Current
	if current.Get() != nil {
		t.Error("there is a table before the first")
	}
	first := build(t, nil, routetest.GitHub("a"))
	current.Set(first)
	if current.Get() != first {
		t.Error("the table is not in force")
	}
}
