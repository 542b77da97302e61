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

func TestMaxEndpoints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limits []int32
		want   int
	}{
		{nil, 0}, {[]int32{0}, v1alpha1.DefaultMaxEndpoints}, {[]int32{5}, 5}, {[]int32{0, 5}, 5}, {[]int32{5, 0}, 5},
		{[]int32{1000}, 1000}, {[]int32{1000, 0}, v1alpha1.DefaultMaxEndpoints},
	} {
		var receivers []v1alpha1.WebhookReceiver
		for _, limit := range c.limits {
			receivers = append(receivers, v1alpha1.WebhookReceiver{
				Spec: v1alpha1.WebhookReceiverSpec{NamespaceLimits: v1alpha1.NamespaceLimits{MaxEndpoints: limit}},
			})
		}
		if got := compile.MaxEndpoints(receivers); got != c.want {
			t.Errorf("limits %v: %d, want %d", c.limits, got, c.want)
		}
	}
}
