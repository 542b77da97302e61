package fleet

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/postern-dev/postern/api/v1alpha1"
)

func unscheduled(message string) corev1.Pod {
	return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Status: corev1.PodStatus{
		Conditions: []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: message,
		}},
	}}
}

func waiting(reason, message string, init bool) corev1.Pod {
	statuses := []corev1.ContainerStatus{{
		Name:  "c",
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}}
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}}
	if init {
		pod.Status.InitContainerStatuses = statuses
	} else {
		pod.Status.ContainerStatuses = statuses
	}
	return pod
}

func pending(class *string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "postern-store"},
		Spec:       corev1.PersistentVolumeClaimSpec{StorageClassName: class},
		Status:     corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending},
	}
}

func crashed() corev1.Pod {
	pod := waiting("CrashLoopBackOff", "back-off 10s", false)
	pod.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
		ExitCode: 2, Message: "unknown flag --x\n",
	}
	return pod
}

func deleted() corev1.Pod {
	pod := waiting("CrashLoopBackOff", "", false)
	pod.DeletionTimestamp = &metav1.Time{}
	return pod
}

func TestDiagnose(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		seen    observed
		reason  string
		message string
	}{
		"nothing":        {},
		"starting":       {seen: observed{pods: []corev1.Pod{waiting("ContainerCreating", "", false)}}},
		"going":          {seen: observed{pods: []corev1.Pod{deleted()}}},
		"claim but fine": {seen: observed{claim: pending(nil)}},
		"secret": {
			seen:   observed{missing: []missing{{"tls.secretName", "hooks-tls"}}, pods: []corev1.Pod{crashed()}},
			reason: v1alpha1.ReasonSecretNotFound, message: "`tls.secretName`: Secret \"hooks-tls\" does not exist",
		},
		"quota": {
			seen: observed{deployment: &appsv1.Deployment{Status: appsv1.DeploymentStatus{
				Conditions: []appsv1.DeploymentCondition{{
					Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota",
				}},
			}}},
			reason: v1alpha1.ReasonPodFailing, message: "pods cannot be created: exceeded quota",
		},
		"no default class": {
			seen:   observed{claim: pending(nil), pods: []corev1.Pod{unscheduled("unbound claims")}},
			reason: v1alpha1.ReasonVolumePending, message: "no default StorageClass",
		},
		"unknown class": {
			seen:   observed{claim: pending(ptr.To("fast")), pods: []corev1.Pod{unscheduled("unbound claims")}},
			reason: v1alpha1.ReasonVolumePending, message: `StorageClass "fast"`,
		},
		"no node": {
			seen:   observed{pods: []corev1.Pod{unscheduled("0/3 nodes are available")}},
			reason: v1alpha1.ReasonUnschedulable, message: "pod p: 0/3 nodes are available",
		},
		"image of the store": {
			seen:   observed{pods: []corev1.Pod{waiting("ErrImagePull", "not found", true)}},
			reason: v1alpha1.ReasonImagePullFailed, message: "pod p, container c: ErrImagePull: not found",
		},
		"configuration": {
			seen:   observed{pods: []corev1.Pod{waiting("CreateContainerConfigError", `secret "x" not found`, false)}},
			reason: v1alpha1.ReasonPodFailing, message: `secret "x" not found`,
		},
		"crash": {
			seen:   observed{pods: []corev1.Pod{deleted(), crashed()}},
			reason: v1alpha1.ReasonPodFailing, message: "(last exit code 2: unknown flag --x)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.seen.deployment == nil {
				test.seen.deployment = &appsv1.Deployment{}
			}
			finding := diagnose(test.seen)
			switch {
			case finding == nil && test.reason != "":
				t.Errorf("found nothing, want %s", test.reason)
			case finding != nil && (finding.Reason != test.reason || !strings.Contains(finding.Message, test.message)):
				t.Errorf("found %+v, want %s with %q", *finding, test.reason, test.message)
			}
		})
	}
}
