package fleet

import (
	"cmp"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/status"
)

// observed is everything that tells why pods do not serve.
type observed struct {
	deployment *appsv1.Deployment
	missing    []missing
	claim      *corev1.PersistentVolumeClaim
	pods       []corev1.Pod
}

// missing is a Secret that a field names and that does not exist.
type missing struct {
	field  string
	secret string
}

// diagnose names the first cause that somebody has to act on, causes before
// their consequences; nil means that waiting is all there is to do.
func diagnose(seen observed) *status.Finding {
	if len(seen.missing) > 0 {
		first := seen.missing[0]
		return &status.Finding{Reason: v1alpha1.ReasonSecretNotFound, Message: fmt.Sprintf(
			"`%s`: Secret %q does not exist in namespace %s: create it", first.field, first.secret,
			seen.deployment.Namespace)}
	}
	for _, condition := range seen.deployment.Status.Conditions {
		if condition.Type == appsv1.DeploymentReplicaFailure && condition.Status == corev1.ConditionTrue {
			return &status.Finding{Reason: v1alpha1.ReasonPodFailing, Message: "pods cannot be created: " + condition.Message}
		}
	}
	for i := range seen.pods {
		if finding := diagnosePod(&seen.pods[i], seen.claim); finding != nil {
			return finding
		}
	}
	return nil
}

func diagnosePod(pod *corev1.Pod, claim *corev1.PersistentVolumeClaim) *status.Finding {
	if pod.DeletionTimestamp != nil {
		return nil
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type != corev1.PodScheduled || condition.Status != corev1.ConditionFalse {
			continue
		}
		if claim != nil && claim.Status.Phase == corev1.ClaimPending {
			return pendingClaim(claim)
		}
		return &status.Finding{Reason: v1alpha1.ReasonUnschedulable, Message: fmt.Sprintf(
			"pod %s: %s", pod.Name, condition.Message)}
	}
	statuses := append(append([]corev1.ContainerStatus{}, pod.Status.InitContainerStatuses...),
		pod.Status.ContainerStatuses...)
	for _, container := range statuses {
		if finding := diagnoseContainer(pod.Name, container); finding != nil {
			return finding
		}
	}
	return nil
}

func pendingClaim(claim *corev1.PersistentVolumeClaim) *status.Finding {
	advice := "the cluster may have no default StorageClass: " +
		"set `store.sidecar.persistence.storageClassName`"
	if class := claim.Spec.StorageClassName; class != nil {
		advice = fmt.Sprintf("check that StorageClass %q exists and can provision it", *class)
	}
	return &status.Finding{Reason: v1alpha1.ReasonVolumePending, Message: fmt.Sprintf(
		"PersistentVolumeClaim %s has no volume: %s", claim.Name, advice)}
}

// starting are the reasons of containers that are merely not there yet.
var starting = map[string]bool{"": true, "PodInitializing": true, "ContainerCreating": true}

func diagnoseContainer(pod string, container corev1.ContainerStatus) *status.Finding {
	waiting := container.State.Waiting
	if waiting == nil || starting[waiting.Reason] {
		return nil
	}
	reason := v1alpha1.ReasonPodFailing
	if strings.Contains(waiting.Reason, "Image") || strings.Contains(waiting.Reason, "Registry") {
		reason = v1alpha1.ReasonImagePullFailed
	}
	message := fmt.Sprintf("pod %s, container %s: %s: %s", pod, container.Name, waiting.Reason,
		cmp.Or(waiting.Message, "no further message"))
	if last := container.LastTerminationState.Terminated; last != nil {
		message += fmt.Sprintf(" (last exit code %d", last.ExitCode)
		if text := strings.TrimSpace(last.Message); text != "" {
			message += ": " + text
		}
		message += ")"
	}
	return &status.Finding{Reason: reason, Message: message}
}
