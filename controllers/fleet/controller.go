package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/controllers/resources"
	"github.com/postern-dev/postern/controllers/status"
	"github.com/postern-dev/postern/receiver/route"
)

const (
	// again is when something is looked at again that no watch tells of: what a
	// pod says about its readiness, a Secret that is missing, a foreign object.
	again = 10 * time.Second
	// later is when a certificate is looked at again, whose Secret no watch tells of.
	later = 10 * time.Minute
	// soon is when a lagging cache is read again.
	soon = 20 * time.Millisecond
)

// Reconciler runs WebhookReceivers.
type Reconciler struct {
	// Client reads from the manager's cache; Live asks the API server.
	Client client.Client
	Live   client.Reader
	// Writer applies the objects, Patcher the status.
	Writer  *apply.Writer
	Patcher *status.Patcher
	// Recorder records events.
	Recorder events.EventRecorder
	// Ask asks a receiver how it is.
	Ask func(ctx context.Context, receiver confirm.Receiver) (route.Health, error)
	// Pulse knows whose stores are full or have forgotten marks.
	Pulse *Pulse
	// Port is the internal port of receiver pods.
	Port int
	// Settings are what the flags add to every WebhookReceiver.
	Settings resources.Settings
	// Namespace is the system namespace.
	Namespace string
	// Clock dates conditions.
	Clock clock.PassiveClock
}

// Reconcile makes one WebhookReceiver so and says how it is.
func (r *Reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var cached v1alpha1.WebhookReceiver
	if err := r.Client.Get(ctx, request.NamespacedName, &cached); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !cached.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // its objects go with it, by their owner references
	}
	if r.Patcher.Stale(&cached) {
		return ctrl.Result{RequeueAfter: soon}, nil
	}
	if r.ranByAnother(&cached) {
		return ctrl.Result{}, nil
	}
	receiver := cached.DeepCopy()
	found, err := r.run(ctx, receiver)
	status.SetReceiver(receiver, found, metav1.NewTime(r.Clock.Now()))
	changed, patchErr := r.Patcher.Patch(ctx, &cached, receiver)
	if changed {
		before, after := cached.Status.Conditions, receiver.Status.Conditions
		status.Record(r.Recorder, receiver, status.Change(before, after))
		for _, condition := range []string{v1alpha1.ConditionDurable, v1alpha1.ConditionDeduplicationShortened} {
			status.Record(r.Recorder, receiver, status.Warning(before, after, condition))
		}
	}
	return result(found, errors.Join(err, client.IgnoreNotFound(patchErr)))
}

// run applies and observes. What it found is worth telling even with an error.
func (r *Reconciler) run(ctx context.Context, receiver *v1alpha1.WebhookReceiver) (found status.Receiver, err error) {
	if found.Invalid = r.judge(receiver); found.Invalid == nil {
		found.ApplyError = r.apply(ctx, receiver)
	}
	if receiver.Namespace != r.Namespace {
		return found, nil
	}
	if found.Endpoints, err = r.routes(ctx); err != nil {
		return found, err
	}
	if found.Certificate, err = r.certificate(ctx, receiver); err != nil {
		return found, err
	}
	found.Full, found.Shortened = r.Pulse.Full(receiver.Name), r.Pulse.Shortened(receiver.Name)
	if found.Deployment, err = r.deployment(ctx, receiver); err != nil || found.Deployment == nil {
		return found, err
	}
	found.Trouble, err = r.trouble(ctx, receiver, found.Deployment)
	return found, err
}

// ranByAnother says whether a manager of another system namespace runs the
// WebhookReceiver. Both would write its status in turns.
func (r *Reconciler) ranByAnother(receiver *v1alpha1.WebhookReceiver) bool {
	return receiver.Namespace != r.Namespace &&
		apimeta.IsStatusConditionTrue(receiver.Status.Conditions, v1alpha1.ConditionAccepted)
}

// judge refuses what the schema cannot see.
func (r *Reconciler) judge(receiver *v1alpha1.WebhookReceiver) *status.Finding {
	// The longest name made of it is that of a Service, which is a DNS label.
	const maxLabel = 63
	switch {
	case receiver.Namespace != r.Namespace:
		return &status.Finding{Reason: v1alpha1.ReasonWrongNamespace, Message: fmt.Sprintf(
			"WebhookReceivers are run in namespace %s alone: create it there", r.Namespace)}
	case len(meta.InternalServiceName(receiver.Name)) > maxLabel || len(meta.ReceiverName(receiver.Name)) > maxLabel:
		return &status.Finding{Reason: v1alpha1.ReasonInvalidName, Message: fmt.Sprintf(
			"the name is too long to name a Service after: use at most %d characters",
			maxLabel-len(meta.ReceiverName("")))}
	case receiver.Spec.Image == "" && r.Settings.Image == "":
		return &status.Finding{Reason: v1alpha1.ReasonInvalidSpec, Message: "`image` must be set: " +
			"the manager was started without --image"}
	}
	return nil
}

func (r *Reconciler) apply(ctx context.Context, receiver *v1alpha1.WebhookReceiver) error {
	wanted := resources.Receiver(receiver, r.Settings)
	if err := r.Writer.ApplyAll(ctx, wanted); err != nil {
		return err
	}
	return r.Writer.Prune(ctx, receiver.Namespace, meta.ReceiverSelector(receiver.Name), wanted, children()...)
}

// deployment is read live: one from a cache that has not yet seen what was just
// applied would say that the rollout is complete.
func (r *Reconciler) deployment(
	ctx context.Context, receiver *v1alpha1.WebhookReceiver,
) (*appsv1.Deployment, error) {
	deployment := &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: receiver.Namespace, Name: meta.ReceiverName(receiver.Name)}
	if err := r.Live.Get(ctx, key, deployment); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if !metav1.IsControlledBy(deployment, receiver) {
		return nil, nil
	}
	return deployment, nil
}

// result decides when to look again.
func result(found status.Receiver, err error) (ctrl.Result, error) {
	var foreign *apply.ForeignError
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case errors.As(found.ApplyError, &foreign):
		return ctrl.Result{RequeueAfter: again}, nil
	case found.ApplyError != nil:
		return ctrl.Result{}, found.ApplyError
	case found.Trouble != nil:
		return ctrl.Result{RequeueAfter: again}, nil
	case found.Certificate != nil:
		return ctrl.Result{RequeueAfter: later}, nil
	}
	return ctrl.Result{}, nil
}
