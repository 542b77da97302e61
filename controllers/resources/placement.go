package resources

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// place applies what the pod template says about where pods run.
func (m *model) place(spec *corev1ac.PodSpecApplyConfiguration) {
	template := m.spec.PodTemplate
	if len(template.NodeSelector) > 0 {
		spec.WithNodeSelector(template.NodeSelector)
	}
	for _, toleration := range template.Tolerations {
		spec.WithTolerations(applied[corev1ac.TolerationApplyConfiguration](toleration))
	}
	if template.Affinity != nil {
		spec.WithAffinity(applied[corev1ac.AffinityApplyConfiguration](template.Affinity))
	}
	for _, constraint := range template.TopologySpreadConstraints {
		spec.WithTopologySpreadConstraints(applied[corev1ac.TopologySpreadConstraintApplyConfiguration](constraint))
	}
	if len(template.TopologySpreadConstraints) == 0 {
		spec.WithTopologySpreadConstraints(m.spread())
	}
	if template.PriorityClassName != "" {
		spec.WithPriorityClassName(template.PriorityClassName)
	}
	if template.RuntimeClassName != "" {
		spec.WithRuntimeClassName(template.RuntimeClassName)
	}
}

// spread prefers a node each, and does not insist: a small cluster must still
// get all its pods.
func (m *model) spread() *corev1ac.TopologySpreadConstraintApplyConfiguration {
	return corev1ac.TopologySpreadConstraint().
		WithMaxSkew(1).
		WithTopologyKey(corev1.LabelHostname).
		WithWhenUnsatisfiable(corev1.ScheduleAnyway).
		WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(m.selector))
}

// applied turns an API value into the apply configuration of the same JSON form.
func applied[T any](value any) *T {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("%T does not encode: %v", value, err))
	}
	configuration := new(T)
	if err := json.Unmarshal(data, configuration); err != nil {
		panic(fmt.Sprintf("%T is not the apply configuration of %T: %v", configuration, value, err))
	}
	return configuration
}
