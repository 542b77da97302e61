package replay

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route"
)

// outcome is what one look found.
type outcome struct {
	reason   string
	message  string
	failed   bool
	progress *route.ReplayProgress
	// again is when to look again; 0 is when something changes.
	again time.Duration
}

func noEndpoint(key types.NamespacedName) outcome {
	return outcome{
		reason: v1alpha1.ReasonEndpointNotFound,
		message: fmt.Sprintf("WebhookEndpoint %s does not exist in namespace %s: create it or delete this replay",
			key.Name, key.Namespace),
	}
}

func notProgrammed(key types.NamespacedName) outcome {
	return outcome{
		reason:  v1alpha1.ReasonEndpointNotProgrammed,
		message: fmt.Sprintf("no receiver serves WebhookEndpoint %s: see its conditions", key.Name),
		again:   askAgain,
	}
}

func replaced(key types.NamespacedName) outcome {
	return outcome{
		reason:  v1alpha1.ReasonEndpointReplaced,
		message: fmt.Sprintf("WebhookEndpoint %s was deleted while the replay ran, and its events with it", key.Name),
		failed:  true,
	}
}

// observed is how far the receivers got; progress is nil if none knows the replay.
func observed(replay *v1alpha1.WebhookReplay, progress *route.ReplayProgress, trouble error) outcome {
	result := outcome{progress: progress, again: askAgain}
	switch {
	case progress == nil || progress.StartedAt.IsZero():
		result.reason = v1alpha1.ReasonWaitingForReceiver
		result.message = "no receiver has taken the replay yet"
		if trouble != nil {
			result.message += ": " + trouble.Error()
		}
	case progress.FinishedAt.IsZero():
		result.reason = v1alpha1.ReasonReplaying
		result.message = "a receiver goes through the events"
		if progress.Error != "" {
			result.message = "a receiver cannot go on and tries again: " + progress.Error
		}
	case replay.Spec.DryRun:
		result.reason = v1alpha1.ReasonDryRun
		result.message = fmt.Sprintf("%d events match, none was replayed", progress.Matched)
	default:
		result.reason = v1alpha1.ReasonReplayed
		result.message = fmt.Sprintf("%d of %d matching events are due again", progress.Replayed, progress.Matched)
	}
	return result
}

// record writes an outcome into the status.
func record(replay *v1alpha1.WebhookReplay, found outcome, now metav1.Time) {
	status := &replay.Status
	status.ObservedGeneration = replay.Generation
	complete := metav1.ConditionFalse
	if progress := found.progress; progress != nil && !progress.StartedAt.IsZero() {
		status.Matched, status.Replayed = &progress.Matched, &progress.Replayed
		status.StartTime = metav1.NewTime(progress.StartedAt).Rfc3339Copy()
		if !progress.FinishedAt.IsZero() {
			status.CompletionTime = metav1.NewTime(progress.FinishedAt).Rfc3339Copy()
			complete = metav1.ConditionTrue
		}
	}
	failed := metav1.ConditionFalse
	if found.failed {
		failed = metav1.ConditionTrue
		status.CompletionTime = now.Rfc3339Copy()
	}
	set := func(conditionType string, is metav1.ConditionStatus) {
		apimeta.SetStatusCondition(&status.Conditions, metav1.Condition{
			Type: conditionType, Status: is, Reason: found.reason, Message: found.message,
			ObservedGeneration: replay.Generation, LastTransitionTime: now,
		})
	}
	set(v1alpha1.ConditionComplete, complete)
	set(v1alpha1.ConditionFailed, failed)
}

// ended says whether nothing more is to be done.
func ended(replay *v1alpha1.WebhookReplay) bool {
	return apimeta.IsStatusConditionTrue(replay.Status.Conditions, v1alpha1.ConditionComplete) ||
		apimeta.IsStatusConditionTrue(replay.Status.Conditions, v1alpha1.ConditionFailed)
}

// tell records an event when the reason changed.
func (r *Reconciler) tell(replay, before *v1alpha1.WebhookReplay) {
	is := apimeta.FindStatusCondition(replay.Status.Conditions, v1alpha1.ConditionComplete)
	was := apimeta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionComplete)
	if was != nil && was.Reason == is.Reason || is.Reason == v1alpha1.ReasonWaitingForReceiver {
		return
	}
	kind := corev1.EventTypeNormal
	if is.Reason == v1alpha1.ReasonEndpointReplaced || is.Reason == v1alpha1.ReasonEndpointNotFound {
		kind = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(replay, nil, kind, is.Reason, "Replay", "%s", is.Message)
}
