package endpoint

import (
	"context"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/status"
)

// noticed is when a receiver has usually loaded a route that was written. To ask
// earlier would mean a no, and a status that is out of date at once.
const noticed = 75 * time.Millisecond

// grantsAgain is when an endpoint that needs a ReferenceGrant looks whether the
// kind has been installed; nothing tells.
const grantsAgain = 10 * time.Second

// keysAgain is when an endpoint with several keys asks again which were used;
// a rotation takes days.
const keysAgain = 5 * time.Minute

// confirm asks the receivers. Until all of them serve the route it is Waiting.
func (r *Reconciler) confirm(ctx context.Context, s *scope) error {
	if s.compiled.Route == nil {
		return r.waitForGrants(s)
	}
	if s.wrote {
		return &status.Waiting{For: "receivers to notice the route", After: noticed}
	}
	receivers, err := r.Receivers(ctx)
	if err != nil {
		return err
	}
	s.verdict = confirm.All(ctx, r.Ask, receivers, string(s.endpoint.UID), s.compiled.Route.Hash())
	switch {
	case s.verdict.Confirmed() && len(s.compiled.Route.Keys) > 1 && !s.input.NoGrantKind:
		return &status.Waiting{For: "news of the older keys", After: keysAgain}
	case s.verdict.Confirmed():
		return r.waitForGrants(s)
	case s.verdict.Receivers == 0 && !r.External:
		return r.waitForGrants(s) // a pod that gets ready brings the endpoint back
	default:
		return &status.Waiting{For: "receivers", After: r.patience(s.endpoint)}
	}
}

func (r *Reconciler) waitForGrants(s *scope) error {
	if s.input.NoGrantKind {
		return &status.Waiting{For: "ReferenceGrants to be installed", After: grantsAgain}
	}
	return nil
}

// patience is how long to wait before receivers are asked again. A route is
// loaded within milliseconds of its being written, so the first question
// follows at once; what lasts is asked about ever less often.
func (r *Reconciler) patience(endpoint *v1alpha1.WebhookEndpoint) time.Duration {
	programmed := apimeta.FindStatusCondition(endpoint.Status.Conditions, v1alpha1.ConditionProgrammed)
	if programmed == nil || programmed.Status != metav1.ConditionFalse {
		return 50 * time.Millisecond
	}
	switch age := r.Clock.Since(programmed.LastTransitionTime.Time); {
	case age < 3*time.Second:
		return 100 * time.Millisecond
	case age < 15*time.Second:
		return 500 * time.Millisecond
	case age < time.Minute:
		return 2 * time.Second
	default:
		return 10 * time.Second
	}
}
