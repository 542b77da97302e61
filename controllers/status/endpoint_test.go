package status_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/status"
	"github.com/postern-dev/postern/receiver/route"
)

var now = metav1.NewTime(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC))

func endpoint() *v1alpha1.WebhookEndpoint {
	e := &v1alpha1.WebhookEndpoint{}
	e.Generation = 3
	e.Spec.Source.Provider = "github"
	return e
}

func compiled(problems ...compile.Problem) compile.Result {
	result := compile.Result{Route: &route.Endpoint{}, URL: "https://hooks.example.com/ci/github", Problems: problems}
	for _, problem := range problems {
		if problem.Condition == v1alpha1.ConditionAccepted {
			result.Route = nil
		}
	}
	return result
}

func problem(condition, reason, message string) compile.Problem {
	return compile.Problem{Condition: condition, Reason: reason, Field: "spec.x", Message: message}
}

var serving = confirm.Verdict{Receivers: 2, Serving: 2}

// TestEndpointConditions reads as the table of what people are told: type,
// status, reason, and a part of the message.
func TestEndpointConditions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*v1alpha1.WebhookEndpoint)
		found  status.Endpoint
		want   []string
	}{
		"serves": {
			found: status.Endpoint{Compiled: compiled(), Receivers: true, Verdict: serving, RouteHash: "h"},
			want: []string{
				"Accepted True Accepted", "SecretsResolved True SecretsResolved", "TargetsResolved True TargetsResolved",
				"Enforced True Enforced", "Programmed True Programmed confirmed by 2 of 2", "Ready True Ready",
			},
		},
		"rotating": {
			found: status.Endpoint{
				Compiled: compile.Result{Route: &route.Endpoint{Keys: []route.Key{{Name: "new"}, {Name: "old"}, {Name: "older"}}}},
				Verdict: confirm.Verdict{Receivers: 1, Serving: 1, KeysUsed: map[string]time.Time{
					"new": time.Unix(0, 0), "old": time.Date(2026, 3, 6, 12, 0, 59, 0, time.UTC),
				}},
			},
			want: []string{"SecretsResolved True SecretsResolved key is there; key \"old\" was last used at 2026-03-06T12:00:00Z; " +
				"key \"older\" has not been used since the receivers started"},
		},
		"suspended": {
			change: func(e *v1alpha1.WebhookEndpoint) { e.Spec.Suspend = true },
			found:  status.Endpoint{Compiled: compiled(), Verdict: serving},
			want:   []string{"Ready True Suspended"},
		},
		"audited": {
			change: func(e *v1alpha1.WebhookEndpoint) { e.Spec.Source.Enforcement = v1alpha1.EnforcementAudit },
			found:  status.Endpoint{Compiled: compiled(), Verdict: serving},
			want:   []string{"Enforced False AuditOnly", "Ready True Ready"},
		},
		"not verified": {
			change: func(e *v1alpha1.WebhookEndpoint) { e.Spec.Source.Provider = "none" },
			found:  status.Endpoint{Compiled: compiled(), Verdict: serving},
			want:   []string{"Enforced False NotVerified", "Ready True Ready"},
		},
		"refused": {
			found: status.Endpoint{Compiled: compiled(
				problem(v1alpha1.ConditionAccepted, v1alpha1.ReasonPathConflict, "it is taken"),
				problem(v1alpha1.ConditionAccepted, v1alpha1.ReasonInvalidExpression, "no such field"),
			)},
			want: []string{
				"Accepted False PathConflict spec.x: it is taken; spec.x: no such field",
				"Programmed Unknown Pending", "Ready False PathConflict it is taken",
			},
		},
		"refused, an earlier route goes on": {
			found: status.Endpoint{Kept: 2, Compiled: compiled(
				problem(v1alpha1.ConditionAccepted, v1alpha1.ReasonInvalidExpression, "no such field"),
			)},
			want: []string{"Accepted False InvalidExpression (receivers go on with the route of generation 2)"},
		},
		"two kinds of problems": {
			found: status.Endpoint{Verdict: serving, Compiled: compiled(
				problem(v1alpha1.ConditionTargetsResolved, v1alpha1.ReasonServiceNotFound, "no Service"),
				problem(v1alpha1.ConditionSecretsResolved, v1alpha1.ReasonSecretNotFound, "no Secret"),
			)},
			want: []string{
				"SecretsResolved False SecretNotFound no Secret", "TargetsResolved False ServiceNotFound no Service",
				"Programmed True Programmed", "Ready False SecretNotFound no Secret",
			},
		},
		"no receiver": {
			found: status.Endpoint{Compiled: compiled()},
			want:  []string{"Programmed False NoReceiver create one named default", "Ready False NoReceiver"},
		},
		"no pods": {
			found: status.Endpoint{Compiled: compiled(), Receivers: true},
			want:  []string{"Programmed False NoReceiverPods", "Ready False NoReceiverPods"},
		},
		"under way": {
			found: status.Endpoint{Compiled: compiled(), Receivers: true, Verdict: confirm.Verdict{
				Receivers: 2, Serving: 1, Pending: "pod b has not loaded it",
			}},
			want: []string{"Programmed False Programming confirmed by 1 of 2 ready receivers: pod b has not loaded it"},
		},
		"rejected": {
			found: status.Endpoint{Compiled: compiled(), Receivers: true, Verdict: confirm.Verdict{
				Receivers: 2, Serving: 1, Rejected: "pod b: too new", Pending: "x",
			}},
			want: []string{"Programmed False RouteRejected refused by pod b: too new", "Ready False RouteRejected"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := endpoint()
			if test.change != nil {
				test.change(e)
			}
			status.SetEndpoint(e, test.found, now)
			requireConditions(t, e.Status.Conditions, test.want)
			if e.Status.ObservedGeneration != 3 || e.Status.URL != test.found.Compiled.URL ||
				e.Status.RouteHash != test.found.RouteHash {
				t.Errorf("status is %+v", e.Status)
			}
		})
	}
}

func requireConditions(t *testing.T, conditions []metav1.Condition, want []string) {
	t.Helper()
	for _, line := range want {
		fields := strings.SplitN(line, " ", 4)
		got := apimeta.FindStatusCondition(conditions, fields[0])
		switch {
		case got == nil:
			t.Errorf("there is no %s", fields[0])
		case string(got.Status) != fields[1] || got.Reason != fields[2]:
			t.Errorf("got %+v, want %s", got, line)
		case len(fields) == 4 && !strings.Contains(got.Message, fields[3]):
			t.Errorf("%s says %q, want %q", fields[0], got.Message, fields[3])
		case got.ObservedGeneration != 3 || got.LastTransitionTime != now:
			t.Errorf("%s is of generation %d and %v", fields[0], got.ObservedGeneration, got.LastTransitionTime)
		}
	}
}

// TestUnchangedStatusStays: the time of a condition is that of its last change.
func TestUnchangedStatusStays(t *testing.T) {
	t.Parallel()
	e := endpoint()
	found := status.Endpoint{Compiled: compiled(), Verdict: serving}
	status.SetEndpoint(e, found, now)
	before := e.DeepCopy()
	later := metav1.NewTime(now.Add(time.Hour))
	status.SetEndpoint(e, found, later)
	if !apimeta.IsStatusConditionTrue(e.Status.Conditions, v1alpha1.ConditionReady) ||
		e.Status.Conditions[0].LastTransitionTime != before.Status.Conditions[0].LastTransitionTime {
		t.Errorf("nothing changed and the conditions are %+v", e.Status.Conditions)
	}
	found.Verdict = confirm.Verdict{}
	status.SetEndpoint(e, found, later)
	ready := apimeta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReady)
	if ready.LastTransitionTime != later {
		t.Errorf("Ready changed at %v, want %v", ready.LastTransitionTime, later)
	}
}

// TestStaleConditionsGo: a condition that this release does not report would
// stand there for ever.
func TestStaleConditionsGo(t *testing.T) {
	t.Parallel()
	e := endpoint()
	e.Status.Conditions = []metav1.Condition{{Type: "Reconciling", Status: metav1.ConditionTrue, Reason: "Old"}}
	status.SetEndpoint(e, status.Endpoint{Compiled: compiled()}, now)
	if apimeta.FindStatusCondition(e.Status.Conditions, "Reconciling") != nil {
		t.Error("a condition of an earlier release is still there")
	}
}

func TestEndpointError(t *testing.T) {
	t.Parallel()
	e := endpoint()
	status.SetEndpoint(e, status.Endpoint{Compiled: compiled(), Verdict: serving}, now)
	status.SetEndpointError(e, errors.New("etcd is down"), now)
	if !apimeta.IsStatusConditionTrue(e.Status.Conditions, v1alpha1.ConditionReady) {
		t.Error("a short failure took Ready from a spec that is served")
	}
	e.Generation = 4
	status.SetEndpointError(e, errors.New("etcd is down"), now)
	ready := apimeta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionReady)
	if ready.Status != metav1.ConditionUnknown || ready.Reason != status.ReasonReconcileError ||
		!strings.Contains(ready.Message, "etcd is down") || ready.ObservedGeneration != 4 {
		t.Errorf("Ready is %+v", ready)
	}
	if accepted := apimeta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionAccepted); accepted == nil ||
		accepted.ObservedGeneration != 3 {
		t.Errorf("Accepted is %+v, want what was known of generation 3", accepted)
	}
	if e.Status.ObservedGeneration != 3 {
		t.Errorf("generation %d is said to be observed", e.Status.ObservedGeneration)
	}
}

func TestLongMessagesFit(t *testing.T) {
	t.Parallel()
	e := endpoint()
	long := strings.Repeat("é", 40000)
	status.SetEndpoint(e, status.Endpoint{Compiled: compiled(
		problem(v1alpha1.ConditionAccepted, v1alpha1.ReasonInvalidExpression, long),
	)}, now)
	for _, condition := range e.Status.Conditions {
		if len(condition.Message) > 32768 || strings.ContainsRune(condition.Message, '\uFFFD') {
			t.Errorf("%s has a message of %d bytes", condition.Type, len(condition.Message))
		}
	}
}
