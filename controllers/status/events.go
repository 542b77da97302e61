package status

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/events"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// Event is what is told about an object once, when it changes.
type Event struct {
	Type   string
	Reason string
	Action string
	Note   string
}

// maxNote is the API's bound of an event's note.
const maxNote = 1024

// Change returns the event of a change of Ready, or nil if Ready stayed as it
// was. Its reason is the condition's.
func Change(before, after []metav1.Condition) *Event {
	is := changed(before, after, v1alpha1.ConditionReady)
	// An object on its way to be ready for the first time has done nothing wrong.
	if is == nil || is.Status != metav1.ConditionTrue && expected[is.Reason] {
		return nil
	}
	return event(is)
}

// Warning returns the event of a condition that is not part of Ready and says
// since now that something is wrong, or nil.
func Warning(before, after []metav1.Condition, conditionType string) *Event {
	is := changed(before, after, conditionType)
	if is == nil || well(is) {
		return nil
	}
	return event(is)
}

// well says that nothing is wrong. DeduplicationShortened alone is False then.
func well(is *metav1.Condition) bool {
	return (is.Status == metav1.ConditionTrue) != (is.Type == v1alpha1.ConditionDeduplicationShortened)
}

// changed returns a condition that has another status or reason than before.
func changed(before, after []metav1.Condition, conditionType string) *metav1.Condition {
	was := apimeta.FindStatusCondition(before, conditionType)
	is := apimeta.FindStatusCondition(after, conditionType)
	if is == nil || was != nil && was.Status == is.Status && was.Reason == is.Reason {
		return nil
	}
	return is
}

func event(is *metav1.Condition) *Event {
	event := &Event{Type: corev1.EventTypeNormal, Reason: is.Reason, Action: "Reconcile", Note: is.Message}
	if !well(is) {
		event.Type = corev1.EventTypeWarning
	}
	if len(event.Note) > maxNote {
		event.Note = strings.ToValidUTF8(event.Note[:maxNote], "")
	}
	return event
}

// expected are reasons of being under way.
var expected = map[string]bool{
	ReasonPending:              true,
	v1alpha1.ReasonProgramming: true,
	v1alpha1.ReasonRollingOut:  true,
}

// Record sends the event, if there is one.
func Record(recorder events.EventRecorder, object runtime.Object, event *Event) {
	if event == nil {
		return
	}
	recorder.Eventf(object, nil, event.Type, event.Reason, event.Action, "%s", event.Note)
}
