package replay

import (
	"context"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/controllers/status"
	"github.com/postern-dev/postern/receiver/route"
)

const (
	// soon is when a lagging cache is read again.
	soon = 10 * time.Millisecond
	// askAgain is when the receivers are asked again about a replay that runs.
	askAgain = time.Second
)

// AskFunc returns how far a receiver got with the replays that it knows.
type AskFunc func(ctx context.Context, receiver confirm.Receiver) ([]route.ReplayProgress, error)

// Reconciler serves WebhookReplays.
type Reconciler struct {
	// Client reads from the manager's cache.
	Client client.Client
	// Writer applies the Secrets, Patcher writes status.
	Writer  *apply.Writer
	Patcher *status.Patcher
	// Recorder records events.
	Recorder events.EventRecorder
	// Receivers lists the receivers that are ready, Ask asks one.
	Receivers confirm.Source
	Ask       AskFunc
	// Namespace is the system namespace, WatchNamespaces the tenants'; empty means all.
	Namespace       string
	WatchNamespaces []string
	// Clock dates conditions.
	Clock clock.PassiveClock
}

// Reconcile brings one replay on its way, or tells how far it got.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var cached v1alpha1.WebhookReplay
	if err := r.Client.Get(ctx, request.NamespacedName, &cached); apierrors.IsNotFound(err) {
		return ctrl.Result{}, r.forget(ctx, request.NamespacedName)
	} else if err != nil {
		return ctrl.Result{}, err
	}
	if len(r.WatchNamespaces) > 0 && !slices.Contains(r.WatchNamespaces, request.Namespace) {
		return ctrl.Result{}, nil
	}
	if r.Patcher.Stale(&cached) {
		return ctrl.Result{RequeueAfter: soon}, nil
	}
	replay := cached.DeepCopy()
	result, err := r.reconcile(ctx, replay)
	if apierrors.IsConflict(err) {
		return ctrl.Result{RequeueAfter: soon}, nil // somebody else wrote first: read again
	}
	return result, err
}

func (r *Reconciler) reconcile(ctx context.Context, replay *v1alpha1.WebhookReplay) (ctrl.Result, error) {
	if !replay.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.finalize(ctx, replay)
	}
	if ended(replay) {
		return r.cleanUp(ctx, replay)
	}
	if err := r.claim(ctx, replay); err != nil {
		return ctrl.Result{}, err
	}
	outcome, err := r.run(ctx, replay)
	if err != nil {
		return ctrl.Result{}, err
	}
	before := replay.DeepCopy()
	record(replay, outcome, metav1.NewTime(r.Clock.Now()))
	changed, err := r.Patcher.Patch(ctx, before, replay)
	if changed {
		r.tell(replay, before)
	}
	if ended(replay) && err == nil {
		return r.cleanUp(ctx, replay)
	}
	return ctrl.Result{RequeueAfter: outcome.again}, client.IgnoreNotFound(err)
}

// claim puts the finalizer on: the Secret is in another namespace, where no
// owner reference reaches.
func (r *Reconciler) claim(ctx context.Context, replay *v1alpha1.WebhookReplay) error {
	if controllerutil.ContainsFinalizer(replay, meta.FinalizerReplay) {
		return nil
	}
	return r.patch(ctx, replay, func() { controllerutil.AddFinalizer(replay, meta.FinalizerReplay) })
}

// finalize withdraws the Secret, then lets the replay go.
func (r *Reconciler) finalize(ctx context.Context, replay *v1alpha1.WebhookReplay) error {
	if !controllerutil.ContainsFinalizer(replay, meta.FinalizerReplay) {
		return nil
	}
	if err := r.withdraw(ctx, replay); err != nil {
		return err
	}
	return r.patch(ctx, replay, func() { controllerutil.RemoveFinalizer(replay, meta.FinalizerReplay) })
}

// cleanUp withdraws the Secret of a replay that has ended, and deletes the
// replay itself when its time is over.
func (r *Reconciler) cleanUp(ctx context.Context, replay *v1alpha1.WebhookReplay) (ctrl.Result, error) {
	if err := r.finalize(ctx, replay); err != nil {
		return ctrl.Result{}, err
	}
	if replay.Spec.TTLSecondsAfterFinished == nil {
		return ctrl.Result{}, nil
	}
	age := r.Clock.Since(replay.Status.CompletionTime.Time)
	if left := time.Duration(*replay.Spec.TTLSecondsAfterFinished)*time.Second - age; left > 0 {
		return ctrl.Result{RequeueAfter: left}, nil
	}
	uid := replay.UID
	err := r.Client.Delete(ctx, replay, client.Preconditions{UID: &uid})
	return ctrl.Result{}, client.IgnoreNotFound(err)
}

func (r *Reconciler) patch(ctx context.Context, replay *v1alpha1.WebhookReplay, change func()) error {
	before := replay.DeepCopy()
	change()
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, replay, patch); err != nil {
		return client.IgnoreNotFound(err)
	}
	r.Patcher.Wrote(replay)
	return nil
}
