package status_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/status"
)

func deployment(generation int64, status appsv1.DeploymentStatus) *appsv1.Deployment {
	d := &appsv1.Deployment{Status: status}
	d.Generation = generation
	return d
}

func serves(pods int32) appsv1.DeploymentStatus {
	return appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: pods, UpdatedReplicas: pods, ReadyReplicas: pods}
}

var errForeign = fmt.Errorf("apply: %w", &apply.ForeignError{Kind: "Service", Namespace: "s", Name: "n"})

func TestReceiverConditions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec  v1alpha1.WebhookReceiverSpec
		found status.Receiver
		want  []string
	}{
		"serves": {
			found: status.Receiver{Deployment: deployment(1, serves(1))},
			want: []string{
				"Accepted True Accepted", "Deployed True Deployed", "Available True Available 1 of 1",
				"Durable True Durable fsync'd on one volume", "Ready True Ready",
			},
		},
		"weak": {
			spec:  v1alpha1.WebhookReceiverSpec{Store: v1alpha1.Store{AllowWeakDurability: true}},
			found: status.Receiver{Deployment: deployment(1, serves(1))},
			want:  []string{"Durable False WeakDurability", "Ready True Ready"},
		},
		"emptyDir": {
			spec: v1alpha1.WebhookReceiverSpec{Store: v1alpha1.Store{Sidecar: v1alpha1.SidecarStore{
				Persistence: v1alpha1.StorePersistence{Type: v1alpha1.PersistenceEmptyDir},
			}}},
			found: status.Receiver{Deployment: deployment(1, serves(1))},
			want:  []string{"Durable False EmptyDir", "Ready True Ready"},
		},
		"invalid": {
			found: status.Receiver{Invalid: &status.Finding{Reason: "InvalidName", Message: "too long"}},
			want: []string{
				"Accepted False InvalidName too long", "Deployed Unknown Pending", "Available Unknown Pending",
				"Ready False InvalidName",
			},
		},
		"full": {
			found: status.Receiver{
				Deployment: deployment(1, serves(1)), Full: &status.Finding{Reason: "StoreFull", Message: "no room"},
			},
			want: []string{"Available True Available", "Admitting False StoreFull no room", "Ready False StoreFull no room"},
		},
		"not durable": {
			found: status.Receiver{
				Deployment: deployment(1, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1}),
				Trouble:    &status.Finding{Reason: "StoreNotDurable", Message: "appendfsync is everysec"},
			},
			want: []string{"Durable False StoreNotDurable appendfsync", "Ready False StoreNotDurable"},
		},
		"valid certificate": {
			found: status.Receiver{
				Deployment: deployment(1, serves(1)), Certificate: &status.Certificate{NotAfter: time.Unix(0, 0)},
			},
			want: []string{"CertificateValid True CertificateValid until 1970-01-01T00:00:00Z", "Ready True Ready"},
		},
		"expired certificate": {
			found: status.Receiver{
				Deployment:  deployment(1, serves(1)),
				Certificate: &status.Certificate{Trouble: &status.Finding{Reason: "CertificateExpired", Message: "renew it"}},
			},
			want: []string{"CertificateValid False CertificateExpired renew it", "Ready False CertificateExpired"},
		},
		"foreign object": {
			found: status.Receiver{ApplyError: errForeign, Deployment: deployment(1, serves(1))},
			want:  []string{"Deployed False ForeignObject Service s/n exists and is not Postern's", "Available True Available"},
		},
		"apply fails": {
			found: status.Receiver{ApplyError: errors.New("quota")},
			want:  []string{"Deployed False ApplyFailed quota", "Available False RollingOut does not exist yet"},
		},
		"not observed yet": {
			found: status.Receiver{Deployment: deployment(2, serves(1))},
			want:  []string{"Available False RollingOut", "Ready False RollingOut"},
		},
		"old pods serve": {
			spec: v1alpha1.WebhookReceiverSpec{Replicas: ptr.To[int32](2)},
			found: status.Receiver{Deployment: deployment(1, appsv1.DeploymentStatus{
				ObservedGeneration: 1, Replicas: 3, UpdatedReplicas: 1, ReadyReplicas: 2,
			})},
			want: []string{"Available False RollingOut 1 of 2 pods serve the current spec"},
		},
		"trouble": {
			found: status.Receiver{
				Deployment: deployment(1, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1}),
				Trouble:    &status.Finding{Reason: "ImagePullFailed", Message: "no such image"},
			},
			want: []string{"Available False ImagePullFailed no such image", "Ready False ImagePullFailed"},
		},
		"trouble that is over": {
			found: status.Receiver{
				Deployment: deployment(1, serves(1)),
				Trouble:    &status.Finding{Reason: "ImagePullFailed", Message: "an old pod"},
			},
			want: []string{"Available True Available"},
		},
		"scaled to zero": {
			spec:  v1alpha1.WebhookReceiverSpec{Replicas: ptr.To[int32](0)},
			found: status.Receiver{Deployment: deployment(1, serves(0))},
			want:  []string{"Available False ScaledToZero", "Ready False ScaledToZero"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			receiver := &v1alpha1.WebhookReceiver{Spec: test.spec}
			receiver.Generation, receiver.Name = 3, "default"
			status.SetReceiver(receiver, test.found, now)
			requireConditions(t, receiver.Status.Conditions, test.want)
			if test.found.Deployment != nil && *receiver.Status.ReadyReplicas != test.found.Deployment.Status.ReadyReplicas {
				t.Errorf("status is %+v", receiver.Status)
			}
		})
	}
}

// TestReceiverElsewhere: nothing is promised where nothing runs.
func TestReceiverElsewhere(t *testing.T) {
	t.Parallel()
	receiver := &v1alpha1.WebhookReceiver{ObjectMeta: metav1.ObjectMeta{Generation: 3}}
	status.SetReceiver(receiver, status.Receiver{Deployment: deployment(1, serves(1))}, now)
	status.SetReceiver(receiver, status.Receiver{
		Invalid: &status.Finding{Reason: v1alpha1.ReasonWrongNamespace, Message: "not here"},
	}, now)
	requireConditions(t, receiver.Status.Conditions,
		[]string{"Accepted False WrongNamespace not here", "Ready False WrongNamespace not here"})
	if got := receiver.Status; len(got.Conditions) != 2 || got.Guarantee != "" || got.Selector != "" ||
		got.Endpoints != nil || got.ReadyReplicas != nil {
		t.Errorf("the status is %+v", got)
	}
}

// TestGuarantee: whoever reads the status must not be promised more than the
// store of the spec can keep.
func TestGuarantee(t *testing.T) {
	t.Parallel()
	external := v1alpha1.Store{Type: v1alpha1.StoreTypeExternal}
	empty := v1alpha1.Store{Sidecar: v1alpha1.SidecarStore{
		Persistence: v1alpha1.StorePersistence{Type: v1alpha1.PersistenceEmptyDir},
	}}
	weak := external
	weak.AllowWeakDurability = true
	seen := map[string]bool{}
	for part, store := range map[string]v1alpha1.Store{
		"Not covered: the volume destroyed": {},
		"Not covered: node loss":            empty,
		"Not covered: promotion":            external,
		"which are not checked":             weak,
	} {
		got := status.Guarantee(&v1alpha1.WebhookReceiverSpec{Store: store})
		if !strings.Contains(got, part) || len(got) > 512 {
			t.Errorf("%q does not say %q, or is too long", got, part)
		}
		seen[got] = true
	}
	if len(seen) != 4 {
		t.Error("two stores make the same promise")
	}
}
