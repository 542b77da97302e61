package endpoint

import (
	"context"
	"fmt"
	"sync"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
)

// grantKind is v1beta1, which every release of the Gateway API serves that has
// ReferenceGrants at all.
var grantKind = schema.GroupKind{Group: gatewayv1beta1.GroupName, Kind: "ReferenceGrant"}

// grants reads ReferenceGrants where their CRD is installed. The CRD may come
// later: the watch starts with the first endpoint that needs it.
type grants struct {
	reader client.Reader
	mapper apimeta.RESTMapper
	// watch starts the watch that brings endpoints back when a grant changes.
	watch func() error

	mu       sync.Mutex
	watching bool
}

// list returns the grants of a namespace; installed is false when the cluster
// does not know the kind.
func (g *grants) list(ctx context.Context, namespace string) (
	items []gatewayv1beta1.ReferenceGrant, installed bool, err error,
) {
	if installed, err = g.ensure(); err != nil || !installed {
		return nil, false, err
	}
	var found gatewayv1beta1.ReferenceGrantList
	if err := g.reader.List(ctx, &found, client.InNamespace(namespace)); err != nil {
		return nil, true, fmt.Errorf("list ReferenceGrants in %s: %w", namespace, err)
	}
	return found.Items, true, nil
}

// ensure starts the watch once the kind is known.
func (g *grants) ensure() (installed bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.watching {
		return true, nil
	}
	_, err = g.mapper.RESTMapping(grantKind, gatewayv1beta1.GroupVersion.Version)
	if apimeta.IsNoMatchError(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up ReferenceGrant: %w", err)
	}
	if err := g.watch(); err != nil {
		return false, fmt.Errorf("watch ReferenceGrants: %w", err)
	}
	g.watching = true
	return true, nil
}
