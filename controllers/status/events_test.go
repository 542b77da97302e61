package status_test

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/status"
)

func ready(is metav1.ConditionStatus, reason, message string) []metav1.Condition {
	return []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: is, Reason: reason, Message: message}}
}

func TestChange(t *testing.T) {
	t.Parallel()
	good := ready(metav1.ConditionTrue, "Ready", "requests are served")
	bad := ready(metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound, "no Secret")
	for name, test := range map[string]struct {
		before, after []metav1.Condition
		want          *status.Event
	}{
		"first":             {nil, good, &status.Event{Type: corev1.EventTypeNormal, Reason: "Ready"}},
		"broken":            {good, bad, &status.Event{Type: corev1.EventTypeWarning, Reason: v1alpha1.ReasonSecretNotFound}},
		"mended":            {bad, good, &status.Event{Type: corev1.EventTypeNormal, Reason: "Ready"}},
		"another reason":    {bad, ready(metav1.ConditionFalse, "KeyNotFound", ""), &status.Event{Type: "Warning", Reason: "KeyNotFound"}},
		"same":              {good, good, nil},
		"another message":   {bad, ready(metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound, "other"), nil},
		"merely under way":  {good, ready(metav1.ConditionFalse, v1alpha1.ReasonProgramming, ""), nil},
		"merely rolling":    {nil, ready(metav1.ConditionFalse, v1alpha1.ReasonRollingOut, ""), nil},
		"nothing is known":  {nil, nil, nil},
		"waits for another": {nil, ready(metav1.ConditionUnknown, status.ReasonPending, ""), nil},
	} {
		got := status.Change(test.before, test.after)
		if (got == nil) != (test.want == nil) ||
			got != nil && (got.Type != test.want.Type || got.Reason != test.want.Reason) {
			t.Errorf("%s: event is %+v, want %+v", name, got, test.want)
		}
	}
	long := status.Change(nil, ready(metav1.ConditionFalse, "X", strings.Repeat("é", 4000)))
	if len(long.Note) > 1024 || strings.ContainsRune(long.Note, '\uFFFD') {
		t.Errorf("the note has %d bytes", len(long.Note))
	}
}

func TestWarning(t *testing.T) {
	t.Parallel()
	durable := func(is metav1.ConditionStatus, reason string) []metav1.Condition {
		return []metav1.Condition{{Type: v1alpha1.ConditionDurable, Status: is, Reason: reason}}
	}
	good, bad := durable(metav1.ConditionTrue, "Durable"), durable(metav1.ConditionFalse, v1alpha1.ReasonEmptyDir)
	for name, test := range map[string]struct {
		before, after []metav1.Condition
		warns         bool
	}{
		"from the start": {nil, bad, true},
		"became so":      {good, bad, true},
		"for another":    {bad, durable(metav1.ConditionFalse, v1alpha1.ReasonWeakDurability), true},
		"still":          {bad, bad, false},
		"mended":         {bad, good, false},
		"never":          {nil, good, false},
	} {
		got := status.Warning(test.before, test.after, v1alpha1.ConditionDurable)
		if mirrored := status.Warning(mirror(test.before), mirror(test.after),
			v1alpha1.ConditionDeduplicationShortened); (mirrored != nil) != test.warns {
			t.Errorf("%s, of a condition that is True when something is wrong: event is %+v", name, mirrored)
		}
		if (got != nil) != test.warns || got != nil && got.Type != corev1.EventTypeWarning {
			t.Errorf("%s: event is %+v", name, got)
		}
	}
}

// mirror makes the conditions ones that are True when something is wrong.
func mirror(conditions []metav1.Condition) []metav1.Condition {
	opposite := map[metav1.ConditionStatus]metav1.ConditionStatus{
		metav1.ConditionTrue: metav1.ConditionFalse, metav1.ConditionFalse: metav1.ConditionTrue,
	}
	var mirrored []metav1.Condition
	for _, condition := range conditions {
		condition.Type, condition.Status = v1alpha1.ConditionDeduplicationShortened, opposite[condition.Status]
		mirrored = append(mirrored, condition)
	}
	return mirrored
}
