package status

import (
	"slices"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// maxMessage is the API's own bound of a condition's message, in bytes here and
// so on the safe side.
const maxMessage = 32768

// yes returns a condition that holds; its reason is its own type.
func yes(conditionType, message string) metav1.Condition {
	return metav1.Condition{
		Type: conditionType, Status: metav1.ConditionTrue, Reason: conditionType, Message: message,
	}
}

// no returns a condition that does not hold.
func no(conditionType, reason, message string) metav1.Condition {
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage-len("…")], "") + "…"
	}
	return metav1.Condition{
		Type: conditionType, Status: metav1.ConditionFalse, Reason: reason, Message: message,
	}
}

// unknown returns a condition that was not looked at, because something before
// it stood in the way.
func unknown(conditionType, reason, message string) metav1.Condition {
	return metav1.Condition{
		Type: conditionType, Status: metav1.ConditionUnknown, Reason: reason, Message: message,
	}
}

// summary derives Ready: it holds when every listed condition does, else it
// repeats the first that does not.
func summary(conditions []metav1.Condition, parts []string, message string) metav1.Condition {
	for _, part := range parts {
		condition := apimeta.FindStatusCondition(conditions, part)
		if condition == nil {
			return unknown(v1alpha1.ConditionReady, ReasonPending, part+" is not known yet")
		}
		if condition.Status != metav1.ConditionTrue {
			return no(v1alpha1.ConditionReady, condition.Reason, condition.Message)
		}
	}
	return yes(v1alpha1.ConditionReady, message)
}

// ReasonPending is the reason of conditions that wait for another.
const ReasonPending = "Pending"

// set puts the conditions into the list, keeping the times of those whose
// status stays, and drops those that are no longer reported.
func set(list *[]metav1.Condition, generation int64, now metav1.Time, conditions []metav1.Condition) {
	for _, condition := range conditions {
		condition.ObservedGeneration = generation
		condition.LastTransitionTime = now
		apimeta.SetStatusCondition(list, condition)
	}
	*list = slices.DeleteFunc(*list, func(existing metav1.Condition) bool {
		return apimeta.FindStatusCondition(conditions, existing.Type) == nil
	})
}
