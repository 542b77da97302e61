package index_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/postern-dev/postern/controllers/index"
	"github.com/postern-dev/postern/receiver/route"
)

func key(name string) types.NamespacedName { return types.NamespacedName{Namespace: "ci", Name: name} }

func requireContent(t *testing.T, table *index.Table, hashes map[string]string) {
	t.Helper()
	want := index.Content{Count: len(hashes), Hash: route.IndexHash(hashes)}
	if got := table.Content(); got != want {
		t.Errorf("content is %+v, want %+v", got, want)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := index.NewTable()
	requireContent(t, table, map[string]string{})
	table.Served(key("a"), "u1", "h1")
	table.Served(key("b"), "u2", "h2")
	requireContent(t, table, map[string]string{"u1": "h1", "u2": "h2"})
	table.Served(key("a"), "u1", "h3")
	table.NotServed(key("b"))
	requireContent(t, table, map[string]string{"u1": "h3"})
	table.Served(key("a"), "u9", "h9") // created again under another uid
	requireContent(t, table, map[string]string{"u9": "h9"})
	table.Gone(key("a"))
	table.Gone(key("never"))
	requireContent(t, table, map[string]string{})
}

func TestDecided(t *testing.T) {
	t.Parallel()
	table := index.NewTable()
	if table.Decided(key("a")) {
		t.Error("an endpoint that nobody has looked at is decided")
	}
	table.NotServed(key("a"))
	if !table.Decided(key("a")) {
		t.Error("an endpoint without a route is not decided")
	}
	table.Gone(key("a"))
	if table.Decided(key("a")) {
		t.Error("an endpoint that is gone is decided")
	}
	for i := range 5 {
		if table.Decided(key("broken")) {
			t.Errorf("after %d failures an endpoint is no longer waited for", i)
		}
		table.Failed(key("broken"))
	}
	if !table.Decided(key("broken")) {
		t.Error("an endpoint that always fails keeps new receivers from serving for ever")
	}
	table.Served(key("broken"), "u", "h")
	requireContent(t, table, map[string]string{"u": "h"})
}
