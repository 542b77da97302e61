package table_test

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/table"
)

func TestNamespacesShareALimit(t *testing.T) {
	t.Parallel()
	elsewhere := func(e *route.Endpoint) { e.Namespace, e.Path = "shop", "/shop/"+e.Name }
	builder := table.Builder{NamespaceRate: &route.RateLimit{RequestsPerSecond: 1, Burst: 2}}
	now := time.Now()
	allowed := func(built *table.Table, uid string) bool { return built.ByUID(uid).Namespace.Limiter.AllowN(now, 1) }

	first := builder.Build([]*route.Endpoint{
		routetest.GitHub("a"), routetest.GitHub("b"), routetest.GitHub("c", elsewhere),
	}, nil)
	if !allowed(first, "uid-a") || !allowed(first, "uid-b") {
		t.Fatal("the first requests are over the limit")
	}
	if allowed(first, "uid-a") {
		t.Error("a second endpoint has a bucket of its own")
	}
	if !allowed(first, "uid-c") {
		t.Error("another namespace pays for it")
	}
	second := builder.Build([]*route.Endpoint{
		routetest.GitHub("b", func(e *route.Endpoint) { e.MaxBodyBytes = 7 }), routetest.GitHub("new"),
	}, first)
	if allowed(second, "uid-b") || allowed(second, "uid-new") {
		t.Error("a change of routes refilled the bucket")
	}
	if unlimited := table.Build([]*route.Endpoint{routetest.GitHub("a")}, nil); unlimited.ByUID("uid-a").Namespace.Limiter != nil {
		t.Error("there is a limit that nobody set")
	}
}
