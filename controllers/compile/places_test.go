package compile_test

import (
	"slices"
	"testing"
	"time"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
)

func TestAhead(t *testing.T) {
	t.Parallel()
	foreign := rival("a-foreign", time.Hour)
	foreign.Namespace = "other"
	for name, test := range map[string]struct {
		others  endpoints
		holders []string
		want    int
	}{
		"alone":                      {nil, nil, 0},
		"older ones":                 {endpoints{rival("y", time.Hour), rival("z", time.Second)}, nil, 2},
		"a younger one":              {endpoints{rival("a", -time.Second)}, nil, 0},
		"a younger one with a place": {endpoints{rival("a", -time.Second)}, []string{"a"}, 1},
		"same age, by name":          {endpoints{rival("a", 0), rival("z", 0)}, nil, 1},
		"another namespace":          {endpoints{foreign}, []string{"a-foreign"}, 0},
		"an older one counts once":   {endpoints{rival("y", time.Hour)}, []string{"y"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := rival("mine", 0)
			holds := func(e *v1alpha1.WebhookEndpoint) bool { return slices.Contains(test.holders, e.Name) }
			if got := compile.Ahead(endpoint, append(test.others, endpoint), holds); got != test.want {
				t.Errorf("%d are ahead, want %d", got, test.want)
			}
		})
	}
}
