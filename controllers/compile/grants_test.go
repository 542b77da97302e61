package compile_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/controllers/compile"
)

func TestGranted(t *testing.T) {
	t.Parallel()
	type change = func(*gatewayv1beta1.ReferenceGrant)
	named := func(name gatewayv1.ObjectName) change {
		return func(g *gatewayv1beta1.ReferenceGrant) { g.Spec.To[0].Name = &name }
	}
	for name, test := range map[string]struct {
		change change
		want   bool
	}{
		"whole namespace":   {func(*gatewayv1beta1.ReferenceGrant) {}, true},
		"this Service":      {named("builder"), true},
		"another Service":   {named("other"), false},
		"another namespace": {func(g *gatewayv1beta1.ReferenceGrant) { g.Namespace = "other" }, false},
		"from elsewhere":    {func(g *gatewayv1beta1.ReferenceGrant) { g.Spec.From[0].Namespace = "other" }, false},
		"from another kind": {func(g *gatewayv1beta1.ReferenceGrant) { g.Spec.From[0].Kind = "HTTPRoute" }, false},
		"from another group": {
			func(g *gatewayv1beta1.ReferenceGrant) { g.Spec.From[0].Group = "gateway.networking.k8s.io" }, false,
		},
		"to another kind":  {func(g *gatewayv1beta1.ReferenceGrant) { g.Spec.To[0].Kind = "Secret" }, false},
		"to another group": {func(g *gatewayv1beta1.ReferenceGrant) { g.Spec.To[0].Group = "example.com" }, false},
		"one of several": {func(g *gatewayv1beta1.ReferenceGrant) {
			g.Spec.From = append([]gatewayv1.ReferenceGrantFrom{{Kind: "HTTPRoute", Namespace: "ci"}}, g.Spec.From...)
			g.Spec.To = append([]gatewayv1.ReferenceGrantTo{{Kind: "Secret"}}, g.Spec.To...)
		}, true},
		"no entries": {func(g *gatewayv1beta1.ReferenceGrant) { g.Spec.From, g.Spec.To = nil, nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := grant("apps")
			test.change(&g)
			builder := types.NamespacedName{Namespace: "apps", Name: "builder"}
			if got := compile.Granted([]gatewayv1beta1.ReferenceGrant{g}, "ci", builder); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestGrantedWithoutGrants(t *testing.T) {
	t.Parallel()
	for namespace, want := range map[string]bool{"ci": true, "apps": false} {
		if got := compile.Granted(nil, "ci", types.NamespacedName{Namespace: namespace, Name: "builder"}); got != want {
			t.Errorf("%s: got %v, want %v", namespace, got, want)
		}
	}
}
