package compile_test

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
)

type (
	endpoints []*v1alpha1.WebhookEndpoint
	hosts     []v1alpha1.Hostname
)

func rival(name string, age time.Duration, hosts ...v1alpha1.Hostname) *v1alpha1.WebhookEndpoint {
	return &v1alpha1.WebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ci", Name: name, CreationTimestamp: metav1.NewTime(created.Add(-age)),
		},
		Spec: v1alpha1.WebhookEndpointSpec{Path: "/ci/hook", Hosts: hosts},
	}
}

func TestHolder(t *testing.T) {
	t.Parallel()
	elsewhere := rival("elsewhere", time.Hour)
	elsewhere.Spec.Path = "/ci/other"
	byName := rival("hook", time.Hour)
	byName.Spec.Path = ""
	intruder := rival("intruder", time.Hour)
	intruder.Namespace = "evil"
	for name, test := range map[string]struct {
		others endpoints
		hosts  hosts
		want   string
	}{
		"alone":                     {nil, nil, ""},
		"older":                     {endpoints{rival("z", time.Second)}, nil, "z"},
		"younger":                   {endpoints{rival("a", -time.Second)}, nil, ""},
		"same age, first name":      {endpoints{rival("a", 0)}, nil, "a"},
		"same age, later name":      {endpoints{rival("z", 0)}, nil, ""},
		"an intruder holds nothing": {endpoints{intruder}, nil, ""},
		"another path":              {endpoints{elsewhere}, nil, ""},
		"default path":              {endpoints{byName}, nil, "hook"},
		"another host":              {endpoints{rival("z", time.Hour, "a.example")}, hosts{"b.example"}, ""},
		"common host":               {endpoints{rival("z", time.Hour, "a.example", "b.example")}, hosts{"b.example"}, "z"},
		"any host against one":      {endpoints{rival("z", time.Hour)}, hosts{"b.example"}, "z"},
		"one host against any":      {endpoints{rival("z", time.Hour, "a.example")}, nil, "z"},
		"the oldest of several":     {endpoints{rival("y", time.Hour), rival("z", 2*time.Hour)}, nil, "z"},
		"one that lost holds no host": {endpoints{
			rival("loser", time.Hour, "a.example", "b.example"), rival("winner", 2*time.Hour, "a.example"),
		}, hosts{"b.example"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := rival("mine", 0, test.hosts...)
			for range 2 {
				got := ""
				if holder := compile.Holder(endpoint, append(test.others, endpoint)); holder != nil {
					got = holder.Name
				}
				if got != test.want {
					t.Errorf("got %q, want %q", got, test.want)
				}
				slices.Reverse(test.others)
			}
		})
	}
}

// Whatever the order in which they are seen, exactly one of two endpoints on
// one path is held off.
func TestHolderIsAntisymmetric(t *testing.T) {
	t.Parallel()
	all := endpoints{rival("a", 0), rival("b", 0), rival("c", time.Second)}
	free := 0
	for _, endpoint := range all {
		if compile.Holder(endpoint, all) == nil {
			free++
		}
	}
	if free != 1 {
		t.Errorf("%d endpoints have the path, want 1", free)
	}
}
