package resources

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
)

// userID is the one user of the pod: receiver and store share a socket that
// only its owner may open. It is the customary nonroot user of distroless images.
const userID = 65532

func (m *model) deployment() *appsv1ac.DeploymentApplyConfiguration {
	return appsv1ac.Deployment(m.name, m.namespace).
		WithLabels(m.labels).
		WithOwnerReferences(m.owner).
		WithSpec(appsv1ac.DeploymentSpec().
			WithReplicas(*m.spec.Replicas).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(m.selector)).
			WithStrategy(m.strategy()).
			WithTemplate(m.podTemplate()))
}

// strategy never runs two sidecar stores at once: two pods on one log would
// corrupt it, and two logs would split the deduplication.
func (m *model) strategy() *appsv1ac.DeploymentStrategyApplyConfiguration {
	if m.sidecar() {
		return appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)
	}
	return appsv1ac.DeploymentStrategy().
		WithType(appsv1.RollingUpdateDeploymentStrategyType).
		WithRollingUpdate(appsv1ac.RollingUpdateDeployment().
			WithMaxUnavailable(intstr.FromInt32(0)).
			WithMaxSurge(intstr.FromInt32(1)))
}

func (m *model) podTemplate() *corev1ac.PodTemplateSpecApplyConfiguration {
	return corev1ac.PodTemplateSpec().
		WithAnnotations(m.spec.PodTemplate.Annotations).
		WithLabels(m.spec.PodTemplate.Labels).
		WithLabels(m.labels).
		WithSpec(m.podSpec())
}

func (m *model) podSpec() *corev1ac.PodSpecApplyConfiguration {
	spec := corev1ac.PodSpec().
		WithServiceAccountName(m.name).
		WithAutomountServiceAccountToken(true).
		WithEnableServiceLinks(false).
		WithTerminationGracePeriodSeconds(int64(m.spec.TerminationGracePeriodSeconds)).
		WithSecurityContext(podSecurity()).
		WithContainers(m.receiverContainer()).
		WithVolumes(m.volumes()...)
	if m.persistent() {
		spec.WithInitContainers(m.volumeContainer())
	}
	if m.sidecar() {
		spec.WithInitContainers(m.storeContainer())
	}
	for _, secret := range m.spec.ImagePullSecrets {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(secret.Name))
	}
	m.place(spec)
	return spec
}

// podSecurity satisfies the restricted Pod Security Standard. The group owns
// volumes whose driver honours it; a driver that does not must hand out volumes
// that user 65532 may write.
func podSecurity() *corev1ac.PodSecurityContextApplyConfiguration {
	return corev1ac.PodSecurityContext().
		WithRunAsNonRoot(true).
		WithRunAsUser(userID).
		WithRunAsGroup(userID).
		WithFSGroup(userID).
		WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
		WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))
}

func containerSecurity() *corev1ac.SecurityContextApplyConfiguration {
	return corev1ac.SecurityContext().
		WithAllowPrivilegeEscalation(false).
		WithReadOnlyRootFilesystem(true).
		WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))
}
