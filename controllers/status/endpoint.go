package status

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/controllers/confirm"
)

// Endpoint is what one reconcile of a WebhookEndpoint found.
type Endpoint struct {
	// Compiled is what became of the spec.
	Compiled compile.Result
	// RouteHash identifies the route that is stored; empty if there is none.
	RouteHash string
	// Kept is the generation of an earlier route that goes on, because the
	// current spec is not accepted; 0 if there is none.
	Kept int64
	// Draining says that the earlier route gets no requests any more.
	Draining bool
	// Receivers says whether any WebhookReceiver exists.
	Receivers bool
	// Verdict is what the receivers said about the route.
	Verdict confirm.Verdict
	// Ranges are the lists of the providers that the spec allows.
	Ranges map[string]compile.Ranges
}

// ReasonReconcileError is the reason of Ready while a change could not be
// carried out for a cause that is not the user's; it is tried again.
const ReasonReconcileError = "ReconcileError"

// endpointReady are the conditions that make an endpoint Ready, in the order in
// which they are told. Enforced is not one of them: it is a warning.
var endpointReady = []string{
	v1alpha1.ConditionAccepted,
	v1alpha1.ConditionSecretsResolved,
	v1alpha1.ConditionTargetsResolved,
	v1alpha1.ConditionProgrammed,
}

// SetEndpoint writes what was found into the endpoint's status.
func SetEndpoint(endpoint *v1alpha1.WebhookEndpoint, found Endpoint, now metav1.Time) {
	status := &endpoint.Status
	status.ObservedGeneration = endpoint.Generation
	status.URL = found.Compiled.URL
	status.RouteHash = found.RouteHash
	status.AddressRanges = addressRanges(found.Ranges)
	conditions := []metav1.Condition{
		acceptance(found),
		judged(found, v1alpha1.ConditionSecretsResolved, "every named Secret and key is there"+olderKeys(found)),
		judged(found, v1alpha1.ConditionTargetsResolved, "every target exists and is permitted"),
		programmed(found),
		enforced(endpoint),
	}
	ready := summary(conditions, endpointReady, "requests are served")
	if ready.Status == metav1.ConditionTrue && endpoint.Spec.Suspend {
		ready.Reason, ready.Message = v1alpha1.ReasonSuspended, "requests are accepted and queued; `suspend` holds deliveries"
	}
	set(&status.Conditions, endpoint.Generation, now, append(conditions, ready))
}

// olderKeys tells when the keys after the first were last used, so that a
// rotation can be brought to its end without fear.
func olderKeys(found Endpoint) string {
	if found.Compiled.Route == nil || !found.Verdict.Confirmed() {
		return ""
	}
	var text strings.Builder
	for i, key := range found.Compiled.Route.Keys {
		if i == 0 {
			continue
		}
		if at, used := found.Verdict.KeysUsed[key.Name]; used {
			fmt.Fprintf(&text, "; key %q was last used at %s", key.Name, at.UTC().Truncate(time.Minute).Format(time.RFC3339))
		} else {
			fmt.Fprintf(&text, "; key %q has not been used since the receivers started", key.Name)
		}
	}
	return text.String()
}

func addressRanges(lists map[string]compile.Ranges) []v1alpha1.PublishedAddressRanges {
	var published []v1alpha1.PublishedAddressRanges
	for _, provider := range slices.Sorted(maps.Keys(lists)) {
		if list := lists[provider]; len(list.Prefixes) > 0 {
			published = append(published, v1alpha1.PublishedAddressRanges{
				Provider: provider, Count: int32(len(list.Prefixes)),
				Source: list.Source, RefreshTime: metav1.NewTime(list.At).Rfc3339Copy(),
			})
		}
	}
	return published
}

// SetEndpointError says that a new spec could not be looked at. The conditions
// of the one before stay, and so does everything once the spec has been seen:
// receivers serve on without the manager, and a short failure is no news.
func SetEndpointError(endpoint *v1alpha1.WebhookEndpoint, err error, now metav1.Time) {
	if endpoint.Status.ObservedGeneration == endpoint.Generation {
		return
	}
	ready := unknown(v1alpha1.ConditionReady, ReasonReconcileError, err.Error())
	ready.ObservedGeneration = endpoint.Generation
	ready.LastTransitionTime = now
	apimeta.SetStatusCondition(&endpoint.Status.Conditions, ready)
}

func acceptance(found Endpoint) metav1.Condition {
	condition := judged(found, v1alpha1.ConditionAccepted, "the spec is valid and its path free")
	switch {
	case condition.Status == metav1.ConditionTrue || found.Kept == 0:
	case found.Draining:
		condition.Message += " (receivers deliver the events that they have of this endpoint and take no new ones)"
	default:
		condition.Message += fmt.Sprintf(" (receivers go on with the route of generation %d)", found.Kept)
	}
	return condition
}

// judged turns the problems of one condition into it: the reason is the first
// one's, the message tells all.
func judged(found Endpoint, conditionType, good string) metav1.Condition {
	problems := found.Compiled.Of(conditionType)
	if len(problems) == 0 {
		return yes(conditionType, good)
	}
	texts := make([]string, len(problems))
	for i, problem := range problems {
		texts[i] = problem.String()
	}
	return no(conditionType, problems[0].Reason, strings.Join(texts, "; "))
}

func programmed(found Endpoint) metav1.Condition {
	const condition = v1alpha1.ConditionProgrammed
	verdict := found.Verdict
	switch {
	case found.Compiled.Route == nil:
		return unknown(condition, ReasonPending, "no route is written until the spec is accepted")
	case verdict.Confirmed():
		return yes(condition, fmt.Sprintf("confirmed by %d of %d ready receivers", verdict.Serving, verdict.Receivers))
	case verdict.Receivers == 0 && !found.Receivers:
		return no(condition, v1alpha1.ReasonNoReceiver,
			"no WebhookReceiver exists: create one named default in the system namespace")
	case verdict.Receivers == 0:
		return no(condition, v1alpha1.ReasonNoReceiverPods,
			"no receiver pod is ready; the conditions of the WebhookReceiver say why")
	case verdict.Rejected != "":
		return no(condition, v1alpha1.ReasonRouteRejected, "refused by "+verdict.Rejected)
	default:
		return no(condition, v1alpha1.ReasonProgramming, fmt.Sprintf("confirmed by %d of %d ready receivers: %s",
			verdict.Serving, verdict.Receivers, cmp.Or(verdict.Pending, "waiting")))
	}
}

func enforced(endpoint *v1alpha1.WebhookEndpoint) metav1.Condition {
	const condition = v1alpha1.ConditionEnforced
	switch source := endpoint.Spec.Source; {
	case source.Provider == "none":
		return no(condition, v1alpha1.ReasonNotVerified,
			"`source.provider: none` verifies nothing: everybody who can reach the URL can send events")
	case source.Enforcement == v1alpha1.EnforcementAudit:
		return no(condition, v1alpha1.ReasonAuditOnly,
			"`source.enforcement: Audit` delivers events that failed verification, marked Postern-Verified: false")
	default:
		return yes(condition, "only verified requests are accepted")
	}
}
