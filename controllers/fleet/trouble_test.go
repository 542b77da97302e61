package fleet_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

func TestPodsTellTheirTrouble(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("trouble")
	cluster.Create(t, receiver)
	waitCondition(t, receiver, v1alpha1.ConditionAvailable, metav1.ConditionFalse, v1alpha1.ReasonRollingOut)
	pod := podOf(t, receiver)
	setStatus(t, pod, corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		Name: "receiver", Image: "postern:test",
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{
			Reason: "ImagePullBackOff", Message: "no such image",
		}},
	}}})
	condition := waitCondition(t, receiver, v1alpha1.ConditionAvailable, metav1.ConditionFalse,
		v1alpha1.ReasonImagePullFailed)
	if !strings.Contains(condition.Message, "pod "+pod.Name+", container receiver: ImagePullBackOff: no such image") {
		t.Errorf("the message is %q", condition.Message)
	}

	for _, test := range []struct{ cause, text, reason string }{
		{route.CauseStoreUnavailable, "store: connection refused", v1alpha1.ReasonStoreUnavailable},
		{route.CauseStoreNotDurable, "store: appendfsync is everysec", v1alpha1.ReasonStoreNotDurable},
	} {
		answerer.SetNotReady(test.cause, test.text)
		setStatus(t, pod, running(corev1.ConditionFalse))
		condition = waitCondition(t, receiver, v1alpha1.ConditionAvailable, metav1.ConditionFalse, test.reason)
		if !strings.Contains(condition.Message, test.text) {
			t.Errorf("the pod's own reason is not in the message: %q", condition.Message)
		}
	}
	waitCondition(t, receiver, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonStoreNotDurable)
	waitEvent(t, receiver, v1alpha1.ReasonStoreNotDurable)
	answerer.SetNotReady("", "")
}

// waitEvent waits for a Warning about the WebhookReceiver.
func waitEvent(t *testing.T, receiver *v1alpha1.WebhookReceiver, reason string) {
	t.Helper()
	wait.For(t, "a Warning "+reason, func() error {
		var events eventsv1.EventList
		if err := cluster.Client.List(t.Context(), &events, client.InNamespace(receiver.Namespace)); err != nil {
			return err
		}
		for _, event := range events.Items {
			if event.Type == corev1.EventTypeWarning && event.Reason == reason && event.Regarding.Name == receiver.Name {
				return nil
			}
		}
		return fmt.Errorf("there are %d other events", len(events.Items))
	})
}

// running is the status of a pod whose receiver the manager can ask.
func running(ready corev1.ConditionStatus) corev1.PodStatus {
	return corev1.PodStatus{
		PodIP: "127.0.0.1", PodIPs: []corev1.PodIP{{IP: "127.0.0.1"}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready}},
	}
}

// TestFullStore: a pod that serves says that it takes no new events.
func TestFullStore(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("full")
	cluster.Create(t, receiver)
	waitCondition(t, receiver, v1alpha1.ConditionAvailable, metav1.ConditionFalse, v1alpha1.ReasonRollingOut)
	rollOut(t, receiver.Name, 1)
	waitCondition(t, receiver, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ConditionReady)
	answerer.SetFull(true)
	pod := podOf(t, receiver)
	setStatus(t, pod, running(corev1.ConditionTrue))
	condition := waitCondition(t, receiver, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonStoreFull)
	if !strings.Contains(condition.Message, pod.Name) {
		t.Errorf("the message does not name the pod: %q", condition.Message)
	}
	waitEvent(t, receiver, v1alpha1.ReasonStoreFull)
	answerer.SetFull(false)
	waitCondition(t, receiver, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ConditionReady)
}

// TestShortenedDeduplication: a pod that serves says that marks gave way.
func TestShortenedDeduplication(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("shortened")
	cluster.Create(t, receiver)
	waitCondition(t, receiver, v1alpha1.ConditionDeduplicationShortened, metav1.ConditionFalse,
		v1alpha1.ReasonWindowsKept)
	rollOut(t, receiver.Name, 1)
	setStatus(t, podOf(t, receiver), running(corev1.ConditionTrue))
	for _, window := range []string{"5 hours", "6 hours"} {
		answerer.SetShortened("copies are recognised for " + window)
		wait.For(t, "the condition says for how long", func() error {
			condition := waitCondition(t, receiver, v1alpha1.ConditionDeduplicationShortened, metav1.ConditionTrue,
				v1alpha1.ReasonMarksGaveWay)
			if !strings.Contains(condition.Message, window) || !strings.Contains(condition.Message, "more memory") {
				return fmt.Errorf("the message is %q", condition.Message)
			}
			return nil
		})
	}
	waitEvent(t, receiver, v1alpha1.ReasonMarksGaveWay)
	waitCondition(t, receiver, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ConditionReady)
	answerer.SetShortened("")
	waitCondition(t, receiver, v1alpha1.ConditionDeduplicationShortened, metav1.ConditionFalse,
		v1alpha1.ReasonWindowsKept)
}

// TestCertificate: a certificate that is wrong is told although pods serve.
func TestCertificate(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("certificate")
	receiver.Spec.TLS.SecretName = receiver.Name
	cluster.Create(t, named(&corev1.Secret{
		Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: []byte("not PEM"), corev1.TLSPrivateKeyKey: []byte("x")},
	}, receiver.Name), receiver)
	waitCondition(t, receiver, v1alpha1.ConditionCertificateValid, metav1.ConditionFalse,
		v1alpha1.ReasonCertificateInvalid)
	rollOut(t, receiver.Name, 1)
	waitCondition(t, receiver, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonCertificateInvalid)
}

// TestRanByAnother: two managers do not fight over a status.
func TestRanByAnother(t *testing.T) {
	t.Parallel()
	theirs := webhookReceiver("theirs")
	theirs.Namespace = cluster.Namespace(t)
	cluster.Create(t, theirs)
	waitCondition(t, theirs, v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonWrongNamespace)
	theirs.Status.Conditions = []metav1.Condition{{
		Type: v1alpha1.ConditionAccepted, Status: metav1.ConditionTrue, Reason: v1alpha1.ConditionAccepted,
		ObservedGeneration: 2, LastTransitionTime: metav1.Now(),
	}}
	if err := cluster.Client.Status().Update(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	controltest.Change(t, cluster, theirs, func(r *v1alpha1.WebhookReceiver) { r.Spec.LogLevel = v1alpha1.LogLevelDebug })
	own := webhookReceiver("own") // whose status is written after the manager saw the other one
	cluster.Create(t, own)
	waitCondition(t, own, v1alpha1.ConditionDeployed, metav1.ConditionTrue, v1alpha1.ConditionDeployed)
	waitCondition(t, theirs, v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ConditionAccepted)
}

// podOf creates a pod of the WebhookReceiver, which no ReplicaSet makes here.
func podOf(t *testing.T, receiver *v1alpha1.WebhookReceiver) *corev1.Pod {
	t.Helper()
	pod := named(&corev1.Pod{
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "receiver", Image: "postern:test"}}},
	}, receiver.Name+"-pod")
	pod.Labels = meta.ReceiverLabels(receiver.Name)
	cluster.Create(t, pod)
	return pod
}

func setStatus(t *testing.T, pod *corev1.Pod, status corev1.PodStatus) {
	t.Helper()
	cluster.Get(t, pod)
	pod.Status = status
	if err := cluster.Client.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
}
