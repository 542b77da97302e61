package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
)

// compile judges what was gathered.
func (r *Reconciler) compile(_ context.Context, s *scope) error {
	s.compiled = compile.Endpoint(s.input)
	return nil
}

// program makes the route Secret what was compiled. Without a route, because
// the spec is not accepted, an earlier one goes on. If its path is somebody
// else's by now, it only drains.
func (r *Reconciler) program(ctx context.Context, s *scope) error {
	name := meta.RouteName(s.endpoint.UID)
	if err := r.removeRoutes(ctx, s.key(), name); err != nil {
		return err
	}
	existing, err := r.routeSecret(ctx, name)
	if err != nil {
		return err
	}
	if s.compiled.Route != nil {
		err = r.store(ctx, s, existing, s.compiled.Route)
	} else {
		err = r.keep(ctx, s, existing)
	}
	if err != nil {
		return err
	}
	if s.stored == nil {
		r.places.release(s.key())
		r.Table.NotServed(s.key())
	} else {
		r.Table.Served(s.key(), s.endpoint.UID, s.stored.Hash())
	}
	return nil
}

// store writes a route, unless it stands there already.
func (r *Reconciler) store(ctx context.Context, s *scope, existing *corev1.Secret, stored *route.Endpoint) error {
	document, err := stored.Marshal()
	if err != nil {
		return err
	}
	annotations := map[string]string{
		meta.AnnotationEndpoint:  s.key().String(),
		meta.AnnotationRouteHash: stored.Hash(),
		meta.AnnotationPath:      stored.Path,
	}
	s.stored = stored
	if existing != nil && bytes.Equal(existing.Data[meta.RouteKey], document) && len(existing.Data) == 1 &&
		contains(existing.Annotations, annotations) && contains(existing.Labels, meta.RouteLabels()) {
		return nil
	}
	s.wrote = true
	return r.Writer.Apply(ctx, corev1ac.Secret(meta.RouteName(s.endpoint.UID), r.Namespace).
		WithType(meta.SecretTypeRoute).
		WithLabels(meta.RouteLabels()).
		WithAnnotations(annotations).
		WithData(map[string][]byte{meta.RouteKey: document}))
}

// keep lets an earlier route go on, or drain. Its events are those of an endpoint
// that exists, so that it is never removed for a conflict.
func (r *Reconciler) keep(ctx context.Context, s *scope, existing *corev1.Secret) error {
	if existing == nil {
		return nil
	}
	earlier, err := route.Unmarshal(existing.Data[meta.RouteKey])
	if err != nil || earlier.UID != string(s.endpoint.UID) {
		// Changed by hand while there is nothing to restore it from.
		return r.Writer.Delete(ctx, existing)
	}
	if earlier.Draining, err = r.taken(ctx, s, earlier); err != nil {
		return err
	}
	return r.store(ctx, s, existing, earlier)
}

// taken says whether another endpoint has the path of an earlier route and
// serves it: two routes on one path must not stay.
func (r *Reconciler) taken(ctx context.Context, s *scope, earlier *route.Endpoint) (bool, error) {
	claimants, err := r.endpointsAt(ctx, s.endpoint.Namespace, earlier.Path)
	if err != nil {
		return false, err
	}
	for _, claimant := range claimants {
		if claimant.UID == s.endpoint.UID {
			continue
		}
		secret, err := r.routeSecret(ctx, meta.RouteName(claimant.UID))
		if err != nil {
			return false, err
		}
		if secret == nil {
			continue
		}
		other, err := route.Unmarshal(secret.Data[meta.RouteKey])
		if err == nil && !other.Draining && other.Path == earlier.Path && overlap(other.Hosts, earlier.Hosts) {
			return true, nil
		}
	}
	return false, nil
}

// routeSecret returns the Secret of that name if it is there.
func (r *Reconciler) routeSecret(ctx context.Context, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	if err := r.Client.Get(ctx, types.NamespacedName{Namespace: r.Namespace, Name: name}, secret); err != nil {
		if client.IgnoreNotFound(err) == nil {
			return nil, nil //nolint:nilnil // absence is an answer
		}
		return nil, fmt.Errorf("get route %s: %w", name, err)
	}
	return secret, nil
}

// overlap says whether a request can be meant for both; no hosts are all hosts.
func overlap(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 ||
		slices.ContainsFunc(a, func(host string) bool { return slices.Contains(b, host) })
}

func contains(have, want map[string]string) bool {
	merged := maps.Clone(have)
	if merged == nil {
		merged = map[string]string{}
	}
	maps.Copy(merged, want)
	return maps.Equal(merged, have)
}
