package compile

import (
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route"
)

// Input is an endpoint and everything that it refers to, gathered beforehand.
// It is only read.
type Input struct {
	Endpoint *v1alpha1.WebhookEndpoint
	// ExternalURL is how providers reach the receiver, without slash at the end;
	// empty when nobody has said.
	ExternalURL string
	// Secret is the one that spec.secretRef names; nil when it does not exist.
	Secret *corev1.Secret
	// SigningSecrets are those that targets sign with, by name; those that do not
	// exist are absent.
	SigningSecrets map[string]*corev1.Secret
	// Services are those that targets name; those that do not exist are absent.
	Services map[types.NamespacedName]*corev1.Service
	// Grants are the ReferenceGrants of the targets' namespaces; more do no harm.
	Grants []gatewayv1beta1.ReferenceGrant
	// NoGrantKind says that the cluster does not know ReferenceGrants.
	NoGrantKind bool
	// Unserved are namespaces of targets that the manager does not look into.
	Unserved []string
	// Holder is the endpoint that has the host and path, see [Holder]; nil when
	// they are this endpoint's.
	Holder *v1alpha1.WebhookEndpoint
	// MaxEndpoints is how many endpoints the namespace may have, when others have all
	// the places, see [Ahead]; 0 when this one has a place.
	MaxEndpoints int
	// Ranges are the address ranges of the providers that spec.allowedIPRanges names.
	Ranges map[string]Ranges
	// AssumeServices takes every Service for existing, for use without a cluster.
	AssumeServices bool
}

// Ranges are the address ranges that a provider publishes.
type Ranges struct {
	Prefixes []netip.Prefix
	// Source and At are where and when they were fetched.
	Source string
	At     time.Time
	// Unknown says that no list is known for the provider, Problem why there are
	// no ranges.
	Unknown bool
	Problem string
}

// Result is what became of an endpoint.
type Result struct {
	// Route is nil when the spec cannot be served at all; an earlier route of the
	// endpoint then goes on.
	Route *route.Endpoint
	// URL is what to enter at the provider; just the path when nobody has said
	// how the receiver is reached.
	URL string
	// Problems come in the order of the spec.
	Problems []Problem
}

// Problem is one thing that is wrong.
type Problem struct {
	// Condition is the type of the condition that it makes False.
	Condition string
	// Reason is the condition's reason.
	Reason string
	// Field is the path of the field, such as spec.targets[0].service.
	Field string
	// Message is a sentence that says what to do. It never carries a secret value.
	Message string
}

// String returns field and message.
func (p Problem) String() string { return p.Field + ": " + p.Message }

// Of returns the problems of one condition.
func (r Result) Of(condition string) []Problem {
	var problems []Problem
	for _, problem := range r.Problems {
		if problem.Condition == condition {
			problems = append(problems, problem)
		}
	}
	return problems
}

func (r *Result) report(condition, reason, field, format string, args ...any) {
	r.Problems = append(r.Problems, Problem{
		Condition: condition, Reason: reason, Field: field, Message: fmt.Sprintf(format, args...),
	})
}

// refuse reports a problem of the spec itself: there will be no route.
func (r *Result) refuse(reason, field, format string, args ...any) {
	r.report(v1alpha1.ConditionAccepted, reason, field, format, args...)
}

func (r *Result) accepted() bool { return len(r.Of(v1alpha1.ConditionAccepted)) == 0 }
