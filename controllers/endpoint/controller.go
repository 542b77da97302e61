package endpoint

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/index"
	"github.com/postern-dev/postern/controllers/ranges"
	"github.com/postern-dev/postern/controllers/status"
)

// soon is when a lagging cache is read again.
const soon = 10 * time.Millisecond

// Reconciler serves WebhookEndpoints.
type Reconciler struct {
	// Client reads from the manager's cache; Live asks the API server, for the
	// Secrets of tenants, which no cache holds.
	Client client.Client
	Live   client.Reader
	// Writer applies routes, Patcher writes status.
	Writer  *apply.Writer
	Patcher *status.Patcher
	// Recorder records events.
	Recorder events.EventRecorder
	// Receivers lists the receivers that are ready, Ask asks one about a route.
	Receivers confirm.Source
	Ask       confirm.AskFunc
	// Ranges looks up the address ranges that a provider publishes, RangesChanged
	// names the providers whose ranges were fetched.
	Ranges        func(provider string) (ranges.Published, error)
	RangesChanged <-chan event.TypedGenericEvent[string]
	// Table is told every decision.
	Table *index.Table
	// Namespace is the system namespace.
	Namespace string
	// WatchNamespaces are the tenants' namespaces; empty means all.
	WatchNamespaces []string
	// External says that the receivers are reached by URL, not found by their pods.
	External bool
	// Clock dates conditions and paces polling.
	Clock clock.PassiveClock

	grants *grants
	places places
}

// Reconcile makes the route of one endpoint what its spec and everything that
// it refers to say now, and tells how far that got.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	key := request.NamespacedName
	if !r.watches(key.Namespace) {
		return ctrl.Result{}, r.forget(ctx, key)
	}
	var cached v1alpha1.WebhookEndpoint
	if err := r.Client.Get(ctx, key, &cached); apierrors.IsNotFound(err) {
		return ctrl.Result{}, r.forget(ctx, key)
	} else if err != nil {
		return ctrl.Result{}, err
	}
	if r.Patcher.Stale(&cached) {
		return ctrl.Result{RequeueAfter: soon}, nil
	}
	s := &scope{endpoint: cached.DeepCopy()}
	if !cached.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.finalize(ctx, s)
	}
	err := r.run(ctx, s)
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: soon}, nil // somebody else wrote first: read again
	}
	return r.report(ctx, s, err)
}

// run takes the steps in order. The first error ends it.
func (r *Reconciler) run(ctx context.Context, s *scope) error {
	for _, step := range []func(context.Context, *scope) error{
		r.claim,   // the finalizer, before there is anything to clean up
		r.gather,  // what the endpoint refers to
		r.compile, // route and problems
		r.program, // the route Secret
		r.confirm, // the receivers' own word
	} {
		if err := step(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// report writes the status and decides when to come back.
func (r *Reconciler) report(ctx context.Context, s *scope, err error) (ctrl.Result, error) {
	waiting, isWaiting := errors.AsType[*status.Waiting](err)
	if isWaiting && s.wrote {
		return ctrl.Result{RequeueAfter: waiting.After}, nil // the status tells what receivers say of it
	}
	before := s.endpoint.DeepCopy()
	now := metav1.NewTime(r.Clock.Now())
	if err == nil || isWaiting {
		status.SetEndpoint(s.endpoint, s.found(), now)
	} else {
		r.Table.Failed(s.key())
		status.SetEndpointError(s.endpoint, err, now)
	}
	changed, patchErr := r.Patcher.Patch(ctx, before, s.endpoint)
	if changed {
		status.Record(r.Recorder, s.endpoint, status.Change(before.Status.Conditions, s.endpoint.Status.Conditions))
	}
	if isWaiting {
		return ctrl.Result{RequeueAfter: waiting.After}, client.IgnoreNotFound(patchErr)
	}
	return ctrl.Result{}, errors.Join(err, client.IgnoreNotFound(patchErr))
}
