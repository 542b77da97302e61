package provision

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/postern-dev/postern/controllers/apply"
)

// Delete is what hardened clusters ask of whoever changes an object's owner.
//
// +kubebuilder:rbac:groups=hooks.postern.dev,namespace=postern-system,resources=webhookreceivers,verbs=create;patch;delete

// fieldOwner is apart from the controllers' own: fields that an administrator
// sets beside it stay, fields that the installation drops go. It must never
// change.
const fieldOwner = client.FieldOwner("postern-install")

// patience is how long a new kind may take to be served.
const patience = time.Minute

// Provisioner applies one WebhookReceiver when this manager leads. It does not
// watch it: whoever deletes or changes it afterwards means it.
type Provisioner struct {
	// Client writes.
	Client client.Client
	// Receiver is what [Parse] returned.
	Receiver *unstructured.Unstructured
	// Owner is what the receiver is removed with.
	Owner apply.Owner
}

var (
	_ manager.Runnable               = (*Provisioner)(nil)
	_ manager.LeaderElectionRunnable = (*Provisioner)(nil)
)

// Check asks the API server whether it would accept the receiver, so that a
// manager with a wrong one ends before it replaces a manager with a right one.
func (p *Provisioner) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return p.persist(ctx, client.DryRunAll)
}

// Start applies the receiver and returns.
func (p *Provisioner) Start(ctx context.Context) error {
	if err := p.persist(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// NeedLeaderElection is true: two managers of different releases would take
// turns.
func (p *Provisioner) NeedLeaderElection() bool { return true }

// persist applies until it succeeds, is refused for good, or ctx ends.
func (p *Provisioner) persist(ctx context.Context, options ...client.ApplyOption) error {
	backoff := wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 8, Cap: 10 * time.Second}
	var last error
	err := backoff.DelayFunc().Until(ctx, true, true, func(ctx context.Context) (bool, error) {
		last = p.apply(ctx, options...)
		if last != nil && !final(last) {
			ctrl.LoggerFrom(ctx).Info("Applying the WebhookReceiver failed, trying again", "error", last.Error())
			return false, nil
		}
		return true, last
	})
	if err != nil && last != nil {
		return advised(last)
	}
	return err
}

// advised adds what to do to the error of an API server that could not even judge
// the object, as one does that does not know a field of it.
func advised(err error) error {
	if reason := apierrors.ReasonForError(err); reason != metav1.StatusReasonUnknown && !apierrors.IsInternalError(err) {
		return err
	}
	return fmt.Errorf("%w (if it does not know a field, its CRDs are of another version than this manager: "+
		"apply those of this one)", err)
}

func (p *Provisioner) apply(ctx context.Context, options ...client.ApplyOption) error {
	receiver := p.Receiver.DeepCopy()
	key := client.ObjectKeyFromObject(receiver)
	owner, err := p.Owner.Reference(ctx)
	if err != nil {
		return fmt.Errorf("owner of WebhookReceiver %s: %w", key, err)
	}
	if owner != nil {
		receiver.SetOwnerReferences([]metav1.OwnerReference{*owner})
	}
	options = append(options, fieldOwner, client.ForceOwnership)
	if err := p.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(receiver), options...); err != nil {
		return fmt.Errorf("apply WebhookReceiver %s: %w", key, err)
	}
	return nil
}

// final says whether trying again cannot help: the object itself is refused.
func final(err error) bool {
	return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err)
}
