// Package v1alpha1 is the hooks.postern.dev/v1alpha1 API: WebhookEndpoint,
// which tenants write, and WebhookReceiver, which the platform team writes.
//
// It holds types, validation markers and the names of conditions and reasons,
// and imports Kubernetes API types only. What the schema can refuse it refuses;
// the rest is judged by controllers/compile.
//
// +kubebuilder:object:generate=true
// +groupName=hooks.postern.dev
package v1alpha1
