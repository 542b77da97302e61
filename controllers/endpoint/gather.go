package endpoint

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/controllers/ranges"
)

// gather reads everything that the endpoint refers to. What does not exist is
// absent from the input; only what could not be asked is an error.
func (r *Reconciler) gather(ctx context.Context, s *scope) error {
	s.input = compile.Input{Endpoint: s.endpoint}
	for _, part := range []func(context.Context, *scope) error{
		r.gatherReceiver, r.gatherPlace, r.gatherHolder, r.gatherSecrets, r.gatherServices, r.gatherGrants, r.gatherRanges,
	} {
		if err := part(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) gatherReceiver(ctx context.Context, s *scope) error {
	var receivers v1alpha1.WebhookReceiverList
	if err := r.Client.List(ctx, &receivers, client.InNamespace(r.Namespace)); err != nil {
		return fmt.Errorf("list WebhookReceivers: %w", err)
	}
	s.receivers = len(receivers.Items) > 0
	s.maxEndpoints = compile.MaxEndpoints(receivers.Items)
	for i := range receivers.Items {
		if receivers.Items[i].Name == meta.DefaultReceiver {
			s.input.ExternalURL = receivers.Items[i].Spec.ExternalURL
		}
	}
	return nil
}

// gatherHolder looks for a rival in the endpoint's own namespace alone: a path
// starts with the namespace of its endpoint, so whoever asks for it elsewhere
// is refused and must not keep it from those who may have it.
func (r *Reconciler) gatherHolder(ctx context.Context, s *scope) error {
	rivals, err := r.endpointsAt(ctx, s.endpoint.Namespace, compile.PathOf(s.endpoint))
	if err != nil {
		return err
	}
	s.input.Holder = compile.Holder(s.endpoint, rivals)
	return nil
}

func (r *Reconciler) endpointsAt(
	ctx context.Context, namespace, path string,
) ([]*v1alpha1.WebhookEndpoint, error) {
	var list v1alpha1.WebhookEndpointList
	err := r.Client.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{meta.IndexPath: path})
	if err != nil {
		return nil, fmt.Errorf("list WebhookEndpoints at %s: %w", path, err)
	}
	endpoints := make([]*v1alpha1.WebhookEndpoint, len(list.Items))
	for i := range list.Items {
		endpoints[i] = &list.Items[i]
	}
	return endpoints, nil
}

// gatherSecrets reads live: values of tenants' Secrets are in no cache.
func (r *Reconciler) gatherSecrets(ctx context.Context, s *scope) error {
	s.input.SigningSecrets = map[string]*corev1.Secret{}
	for _, name := range secretNames(s.endpoint) {
		secret := &corev1.Secret{}
		err := r.Live.Get(ctx, types.NamespacedName{Namespace: s.endpoint.Namespace, Name: name}, secret)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("get Secret %s/%s: %w", s.endpoint.Namespace, name, err)
		}
		if name == s.endpoint.Spec.SecretRef.Name {
			s.input.Secret = secret
		}
		s.input.SigningSecrets[name] = secret
	}
	return nil
}

func (r *Reconciler) gatherServices(ctx context.Context, s *scope) error {
	s.input.Services = map[types.NamespacedName]*corev1.Service{}
	for _, key := range services(s.endpoint) {
		if !r.watches(key.Namespace) {
			continue
		}
		service := &corev1.Service{}
		if err := r.Client.Get(ctx, key, service); apierrors.IsNotFound(err) {
			continue
		} else if err != nil {
			return fmt.Errorf("get Service %s: %w", key, err)
		}
		s.input.Services[key] = service
	}
	return nil
}

func (r *Reconciler) gatherGrants(ctx context.Context, s *scope) error {
	for _, namespace := range foreignNamespaces(s.endpoint) {
		if !r.watches(namespace) {
			s.input.Unserved = append(s.input.Unserved, namespace)
			continue
		}
		items, installed, err := r.grants.list(ctx, namespace)
		if err != nil {
			return err
		}
		s.input.NoGrantKind = s.input.NoGrantKind || !installed
		s.input.Grants = append(s.input.Grants, items...)
	}
	return nil
}

// gatherRanges looks up the lists of the providers that the endpoint allows.
func (r *Reconciler) gatherRanges(_ context.Context, s *scope) error {
	for _, provider := range compile.RangeProviders(s.endpoint) {
		if s.input.Ranges == nil {
			s.input.Ranges = map[string]compile.Ranges{}
		}
		published, err := r.Ranges(provider)
		found := compile.Ranges{Prefixes: published.Prefixes, Source: published.Source, At: published.At}
		if err != nil {
			found.Problem, found.Unknown = err.Error(), errors.Is(err, ranges.ErrNoList)
		}
		s.input.Ranges[provider] = found
	}
	return nil
}
