package route_test

import (
	"testing"

	"github.com/postern-dev/postern/receiver/route"
)

func TestSourceLabel(t *testing.T) {
	t.Parallel()
	for want, source := range map[string]route.Source{
		"github": {Provider: "github"},
		"scheme": {Scheme: &route.Scheme{}},
	} {
		if got := source.Label(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
