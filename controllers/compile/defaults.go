package compile

import (
	"cmp"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/verify"
)

// Defaults of the schema, for objects that did not pass an API server.
const (
	defaultSecretKey      = "secret"
	defaultInitialBackoff = 1
	defaultMaxBackoff     = 600
	defaultMaxAge         = 72 * 60 * 60
	defaultHistoryLimit   = 100
	defaultTimeout        = 15
	defaultMaxInFlight    = 32
)

// withDefaults fills in what the schema would have filled in.
func withDefaults(given v1alpha1.WebhookEndpointSpec) v1alpha1.WebhookEndpointSpec {
	spec := *given.DeepCopy()
	spec.Source.Enforcement = cmp.Or(spec.Source.Enforcement, v1alpha1.EnforcementEnforce)
	if len(spec.SecretRef.Keys) == 0 {
		spec.SecretRef.Keys = []v1alpha1.SecretKey{defaultSecretKey}
	}
	usualSize := int32(verify.MaxBodyBytes(spec.Source.Provider))
	spec.MaxBodyBytes = cmp.Or(spec.MaxBodyBytes, usualSize)
	spec.Delivery = cmp.Or(spec.Delivery, v1alpha1.DeliveryQueued)
	spec.Retry.InitialBackoffSeconds = cmp.Or(spec.Retry.InitialBackoffSeconds, defaultInitialBackoff)
	spec.Retry.MaxBackoffSeconds = cmp.Or(spec.Retry.MaxBackoffSeconds, defaultMaxBackoff)
	spec.Retry.MaxAgeSeconds = cmp.Or(spec.Retry.MaxAgeSeconds, defaultMaxAge)
	if spec.History.Limit == nil {
		spec.History.Limit = new(int32(defaultHistoryLimit))
	}
	for i := range spec.Targets {
		spec.Targets[i] = targetWithDefaults(spec.Targets[i])
	}
	return spec
}

func targetWithDefaults(target v1alpha1.Target) v1alpha1.Target {
	target.Name = cmp.Or(target.Name, target.Service.Name)
	target.Path = cmp.Or(target.Path, "/")
	target.Format = cmp.Or(target.Format, v1alpha1.TargetFormatOriginal)
	target.TimeoutSeconds = cmp.Or(target.TimeoutSeconds, defaultTimeout)
	target.MaxInFlight = cmp.Or(target.MaxInFlight, defaultMaxInFlight)
	if target.SigningSecretRef.Name != "" {
		target.SigningSecretRef.Key = cmp.Or(target.SigningSecretRef.Key, defaultSecretKey)
	}
	return target
}
