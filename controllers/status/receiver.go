package status

import (
	"errors"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/meta"
)

// Finding is something that stands in the way: a reason of the API and a
// sentence that says where and what to do.
type Finding struct {
	Reason  string
	Message string
}

// Receiver is what one reconcile of a WebhookReceiver found.
type Receiver struct {
	// Invalid is set when the WebhookReceiver cannot be run as it is written.
	Invalid *Finding
	// ApplyError is what kept an object from being applied.
	ApplyError error
	// Deployment is the Deployment as it is; nil if there is none.
	Deployment *appsv1.Deployment
	// Trouble is why pods do not serve, if that can be told.
	Trouble *Finding
	// Full is why new events are refused by a pod that serves, if that is so.
	Full *Finding
	// Shortened is why a pod may take late copies for new events, if that is so.
	Shortened *Finding
	// Certificate is the certificate of `tls`; nil without `tls`.
	Certificate *Certificate
	// Endpoints is the number of routes.
	Endpoints int32
}

// Certificate is what is known of the certificate that receivers serve with.
type Certificate struct {
	// Trouble is why clients refuse it, nil when they need not.
	Trouble *Finding
	// NotAfter is its end.
	NotAfter time.Time
}

// receiverReady are the conditions that make a WebhookReceiver Ready, in the
// order in which they are told. Durable and DeduplicationShortened are not among
// them: they are warnings.
var receiverReady = []string{
	v1alpha1.ConditionAccepted,
	v1alpha1.ConditionDeployed,
	v1alpha1.ConditionAvailable,
	v1alpha1.ConditionAdmitting,
}

// SetReceiver writes what was found into the WebhookReceiver's status.
func SetReceiver(receiver *v1alpha1.WebhookReceiver, found Receiver, now metav1.Time) {
	status := &receiver.Status
	status.ObservedGeneration = receiver.Generation
	status.Replicas = 0
	status.Guarantee, status.Selector, status.Endpoints, status.ReadyReplicas = "", "", nil, nil
	if found.elsewhere() {
		condition := accepted(found)
		ready := summary([]metav1.Condition{condition}, receiverReady, "")
		set(&status.Conditions, receiver.Generation, now, []metav1.Condition{condition, ready})
		return
	}
	status.Guarantee = Guarantee(&receiver.Spec)
	status.Selector = labels.SelectorFromSet(meta.ReceiverSelector(receiver.Name)).String()
	status.Endpoints, status.ReadyReplicas = &found.Endpoints, ptr.To[int32](0)
	if found.Deployment != nil {
		status.Replicas = found.Deployment.Status.Replicas
		status.ReadyReplicas = &found.Deployment.Status.ReadyReplicas
	}
	conditions := []metav1.Condition{
		accepted(found), deployed(found), available(receiver, found), admitting(found), durable(receiver, found),
		shortened(found),
	}
	parts := receiverReady
	if found.Certificate != nil {
		conditions = append(conditions, certificateValid(found.Certificate))
		parts = append(slices.Clone(parts), v1alpha1.ConditionCertificateValid)
	}
	conditions = append(conditions, summary(conditions, parts, "the receiver serves"))
	set(&status.Conditions, receiver.Generation, now, conditions)
}

// elsewhere says that the WebhookReceiver is where none is run: whatever its
// spec says of stores and pods is not so.
func (r Receiver) elsewhere() bool {
	return r.Invalid != nil && r.Invalid.Reason == v1alpha1.ReasonWrongNamespace
}

func accepted(found Receiver) metav1.Condition {
	if found.Invalid != nil {
		return no(v1alpha1.ConditionAccepted, found.Invalid.Reason, found.Invalid.Message)
	}
	return yes(v1alpha1.ConditionAccepted, "the spec is valid")
}

func deployed(found Receiver) metav1.Condition {
	switch foreign := (*apply.ForeignError)(nil); {
	case found.Invalid != nil:
		return unknown(v1alpha1.ConditionDeployed, ReasonPending, "nothing is applied until the spec is accepted")
	case errors.As(found.ApplyError, &foreign):
		return no(v1alpha1.ConditionDeployed, v1alpha1.ReasonForeignObject, found.ApplyError.Error())
	case found.ApplyError != nil:
		return no(v1alpha1.ConditionDeployed, v1alpha1.ReasonApplyFailed, found.ApplyError.Error())
	default:
		return yes(v1alpha1.ConditionDeployed, "every object is applied")
	}
}

func available(receiver *v1alpha1.WebhookReceiver, found Receiver) metav1.Condition {
	want := ptr.Deref(receiver.Spec.Replicas, 1)
	deployment := found.Deployment
	switch {
	case found.Invalid != nil && deployment == nil:
		return unknown(v1alpha1.ConditionAvailable, ReasonPending, "no pod runs until the spec is accepted")
	case deployment == nil:
		return no(v1alpha1.ConditionAvailable, v1alpha1.ReasonRollingOut, "the Deployment does not exist yet")
	case want == 0:
		return no(v1alpha1.ConditionAvailable, v1alpha1.ReasonScaledToZero,
			"`replicas` is 0: no request is answered until it is raised")
	case rolledOut(deployment, want):
		return yes(v1alpha1.ConditionAvailable, fmt.Sprintf("%d of %d pods serve", want, want))
	case found.Trouble != nil:
		return no(v1alpha1.ConditionAvailable, found.Trouble.Reason, found.Trouble.Message)
	default:
		return no(v1alpha1.ConditionAvailable, v1alpha1.ReasonRollingOut,
			fmt.Sprintf("%d of %d pods serve the current spec", readyUpdated(deployment), want))
	}
}

// rolledOut says whether the pods of the current template serve and no others.
func rolledOut(deployment *appsv1.Deployment, want int32) bool {
	status := deployment.Status
	return status.ObservedGeneration >= deployment.Generation &&
		status.UpdatedReplicas == want && status.Replicas == want && status.ReadyReplicas == want
}

// readyUpdated is at most how many pods of the current template are ready:
// a Deployment does not say it more exactly.
func readyUpdated(deployment *appsv1.Deployment) int32 {
	return min(deployment.Status.ReadyReplicas, deployment.Status.UpdatedReplicas)
}

func admitting(found Receiver) metav1.Condition {
	if found.Full != nil {
		return no(v1alpha1.ConditionAdmitting, found.Full.Reason, found.Full.Message)
	}
	return yes(v1alpha1.ConditionAdmitting, "no pod refuses new events for want of room in its store")
}

// shortened is True when something is wrong.
func shortened(found Receiver) metav1.Condition {
	if found.Shortened != nil {
		return metav1.Condition{
			Type: v1alpha1.ConditionDeduplicationShortened, Status: metav1.ConditionTrue,
			Reason: found.Shortened.Reason, Message: found.Shortened.Message,
		}
	}
	return no(v1alpha1.ConditionDeduplicationShortened, v1alpha1.ReasonWindowsKept,
		"no pod says that deduplication marks gave way: copies are recognised for the windows of their endpoints")
}

func certificateValid(certificate *Certificate) metav1.Condition {
	if trouble := certificate.Trouble; trouble != nil {
		return no(v1alpha1.ConditionCertificateValid, trouble.Reason, trouble.Message)
	}
	return yes(v1alpha1.ConditionCertificateValid,
		"the certificate is valid until "+certificate.NotAfter.UTC().Format(time.RFC3339))
}

func durable(receiver *v1alpha1.WebhookReceiver, found Receiver) metav1.Condition {
	spec := &receiver.Spec
	switch {
	case found.Trouble != nil && found.Trouble.Reason == v1alpha1.ReasonStoreNotDurable:
		return no(v1alpha1.ConditionDurable, found.Trouble.Reason, found.Trouble.Message)
	case spec.Store.AllowWeakDurability:
		return no(v1alpha1.ConditionDurable, v1alpha1.ReasonWeakDurability,
			"`store.allowWeakDurability` is set: the store's settings are not required to keep what was acknowledged")
	case storeType(spec) == v1alpha1.StoreTypeSidecar &&
		spec.Store.Sidecar.Persistence.Type == v1alpha1.PersistenceEmptyDir:
		return no(v1alpha1.ConditionDurable, v1alpha1.ReasonEmptyDir,
			"the store is on an emptyDir: acknowledged events that were not delivered are lost with the node")
	default:
		return yes(v1alpha1.ConditionDurable, Guarantee(spec))
	}
}
