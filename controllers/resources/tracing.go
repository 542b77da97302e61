package resources

import (
	"cmp"
	"fmt"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// traceRatePerMillion is that of the schema.
const traceRatePerMillion = 100_000

func (m *model) tracingArguments() []string {
	tracing := m.spec.Tracing
	if tracing.Endpoint == "" {
		return nil
	}
	rate := int32(traceRatePerMillion)
	if tracing.SamplingRatePerMillion != nil {
		rate = *tracing.SamplingRatePerMillion
	}
	return []string{
		"--otlp-endpoint=" + tracing.Endpoint,
		fmt.Sprintf("--trace-sampling-rate-per-million=%d", rate),
	}
}

// tracingHeaders come through the environment, because they may hold a token.
// The exporter reads the variable itself.
func (m *model) tracingHeaders() []*corev1ac.EnvVarApplyConfiguration {
	reference := m.spec.Tracing.HeadersSecretRef
	if m.spec.Tracing.Endpoint == "" || reference.Name == "" {
		return nil
	}
	key := cmp.Or(string(reference.Key), "secret")
	return []*corev1ac.EnvVarApplyConfiguration{
		corev1ac.EnvVar().WithName("OTEL_EXPORTER_OTLP_HEADERS").WithValueFrom(corev1ac.EnvVarSource().
			WithSecretKeyRef(corev1ac.SecretKeySelector().WithName(reference.Name).WithKey(key))),
	}
}
