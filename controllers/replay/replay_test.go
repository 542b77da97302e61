package replay_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// serving creates an endpoint and waits until it is Ready.
func serving(t *testing.T, namespace string) *v1alpha1.WebhookEndpoint {
	t.Helper()
	endpoint := endpointIn(namespace)
	cluster.Create(t,
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "github"},
			StringData: map[string]string{"secret": "one"},
		},
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "builder"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		}, endpoint)
	wait.For(t, "the endpoint is Ready", func() error {
		cluster.Get(t, endpoint)
		if !apimeta.IsStatusConditionTrue(endpoint.Status.Conditions, v1alpha1.ConditionReady) {
			return fmt.Errorf("conditions are %+v", endpoint.Status.Conditions)
		}
		return nil
	})
	return endpoint
}

func endpointIn(namespace string) *v1alpha1.WebhookEndpoint {
	return &v1alpha1.WebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "github"},
		Spec: v1alpha1.WebhookEndpointSpec{
			Source:    v1alpha1.Source{Provider: "github"},
			SecretRef: v1alpha1.SecretKeysReference{Name: "github"},
			Targets: []v1alpha1.Target{{
				Service: v1alpha1.ServiceReference{Name: "builder", Port: intstr.FromInt32(80)},
			}},
		},
	}
}

func replayIn(namespace string, edits ...func(*v1alpha1.WebhookReplay)) *v1alpha1.WebhookReplay {
	replay := &v1alpha1.WebhookReplay{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "outage"},
		Spec:       v1alpha1.WebhookReplaySpec{EndpointRef: v1alpha1.EndpointReference{Name: "github"}},
	}
	for _, edit := range edits {
		edit(replay)
	}
	return replay
}

// waitFor waits until Complete has the status and reason.
func waitFor(t *testing.T, replay *v1alpha1.WebhookReplay, status metav1.ConditionStatus, reason string) {
	t.Helper()
	wait.For(t, fmt.Sprintf("Complete=%s/%s", status, reason), func() error {
		cluster.Get(t, replay)
		complete := apimeta.FindStatusCondition(replay.Status.Conditions, v1alpha1.ConditionComplete)
		if complete == nil || complete.Status != status || complete.Reason != reason {
			return fmt.Errorf("status is %+v", replay.Status)
		}
		return nil
	})
}

// asked is the document that receivers read, nil if there is none.
func asked(t *testing.T, replay *v1alpha1.WebhookReplay) *route.Replay {
	t.Helper()
	var secret corev1.Secret
	key := types.NamespacedName{Namespace: meta.DefaultNamespace, Name: meta.ReplayName(replay.UID)}
	if err := cluster.Client.Get(t.Context(), key, &secret); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	document, err := route.UnmarshalReplay(secret.Data[meta.ReplayKey])
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func waitWithdrawn(t *testing.T, replay *v1alpha1.WebhookReplay) {
	t.Helper()
	wait.For(t, "the Secret is gone", func() error {
		if asked(t, replay) != nil {
			return errors.New("it is there")
		}
		return nil
	})
}

func TestReplay(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := serving(t, namespace)
	replay := replayIn(namespace, func(replay *v1alpha1.WebhookReplay) {
		replay.Spec.Selector = v1alpha1.ReplaySelector{
			ReceivedAfter: metav1.NewTime(noon), ReceivedBefore: metav1.NewTime(noon.Add(time.Hour)),
			EventTypes: []v1alpha1.EventTypeGlob{"push"}, Targets: []v1alpha1.TargetName{"builder"},
			EventIDs: []v1alpha1.EventID{v1alpha1.EventID(strings.Repeat("0a", 16))},
		}
		replay.Spec.Limit, replay.Spec.EventsPerSecond = 7, 20
	})
	cluster.Create(t, replay)
	waitFor(t, replay, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReceiver)
	want := &route.Replay{
		SchemaVersion: route.ReplayVersion, UID: string(replay.UID), EndpointUID: string(endpoint.UID),
		ReceivedAfter: noon, ReceivedBefore: noon.Add(time.Hour), EventTypes: []string{"push"}, Targets: []string{"builder"},
		EventIDs: []string{strings.Repeat("0a", 16)}, Limit: 7, EventsPerSecond: 20,
	}
	if got := asked(t, replay); !reflect.DeepEqual(got, want) {
		t.Errorf("receivers are asked for %+v, want %+v", got, want)
	}

	progress := route.ReplayProgress{UID: string(replay.UID), Matched: 3, Replayed: 2, StartedAt: noon}
	receiver.SetProgress(progress)
	waitFor(t, replay, metav1.ConditionFalse, v1alpha1.ReasonReplaying)
	if *replay.Status.Matched != 3 || *replay.Status.Replayed != 2 || !replay.Status.StartTime.Equal(ptr.To(metav1.NewTime(noon))) {
		t.Errorf("status is %+v", replay.Status)
	}
	progress.Matched, progress.Replayed, progress.FinishedAt = 7, 6, noon.Add(time.Minute)
	receiver.SetProgress(progress)
	waitFor(t, replay, metav1.ConditionTrue, v1alpha1.ReasonReplayed)
	if *replay.Status.Matched != 7 || *replay.Status.Replayed != 6 || replay.Status.CompletionTime.IsZero() {
		t.Errorf("status is %+v", replay.Status)
	}
	waitWithdrawn(t, replay)
	wait.For(t, "the end is told as an event", func() error {
		var told eventsv1.EventList
		if err := cluster.Client.List(t.Context(), &told, client.InNamespace(namespace)); err != nil {
			return err
		}
		if !slices.ContainsFunc(told.Items, func(e eventsv1.Event) bool {
			return e.Regarding.UID == replay.UID && e.Reason == v1alpha1.ReasonReplayed
		}) {
			return fmt.Errorf("events are %d others", len(told.Items))
		}
		return nil
	})
	if err := cluster.Client.Delete(t.Context(), replay); err != nil {
		t.Fatal(err)
	}
	waitGone(t, replay)
}

func waitGone(t *testing.T, replay *v1alpha1.WebhookReplay) {
	t.Helper()
	wait.For(t, "the WebhookReplay is gone", func() error {
		err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(replay), &v1alpha1.WebhookReplay{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("get: %w", err)
		}
		return nil
	})
}

func TestDryRunIsRemovedAfterItsTime(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	serving(t, namespace)
	replay := replayIn(namespace, func(replay *v1alpha1.WebhookReplay) {
		replay.Spec.DryRun, replay.Spec.TTLSecondsAfterFinished = true, ptr.To[int32](1)
		replay.Spec.Selector.Status = v1alpha1.ReplayDelivered
	})
	cluster.Create(t, replay)
	waitFor(t, replay, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReceiver)
	if got := asked(t, replay); !got.DryRun || !got.Delivered {
		t.Errorf("receivers are asked for %+v", got)
	}
	now := time.Now()
	receiver.SetProgress(route.ReplayProgress{UID: string(replay.UID), Matched: 9, StartedAt: now, FinishedAt: now})
	waitGone(t, replay)
}

func TestWaitsForTheEndpoint(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	replay := replayIn(namespace)
	cluster.Create(t, replay)
	waitFor(t, replay, metav1.ConditionFalse, v1alpha1.ReasonEndpointNotFound)
	if asked(t, replay) != nil {
		t.Error("receivers are asked without an endpoint")
	}
	serving(t, namespace)
	waitFor(t, replay, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReceiver)
}

// TestEndpointIsReplaced must not replay into the namesake's targets.
func TestEndpointIsReplaced(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := serving(t, namespace)
	replay := replayIn(namespace)
	cluster.Create(t, replay)
	waitFor(t, replay, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReceiver)
	if err := cluster.Client.Delete(t.Context(), endpoint); err != nil {
		t.Fatal(err)
	}
	waitFor(t, replay, metav1.ConditionFalse, v1alpha1.ReasonEndpointReplaced)
	if !apimeta.IsStatusConditionTrue(replay.Status.Conditions, v1alpha1.ConditionFailed) {
		t.Errorf("conditions are %+v, want Failed", replay.Status.Conditions)
	}
	waitWithdrawn(t, replay)
	wait.For(t, "the endpoint is created anew", func() error {
		return cluster.Client.Create(t.Context(), endpointIn(namespace))
	})
	cluster.Get(t, replay)
	if !apimeta.IsStatusConditionTrue(replay.Status.Conditions, v1alpha1.ConditionFailed) || asked(t, replay) != nil {
		t.Errorf("the replay went on with the namesake: %+v", replay.Status)
	}
}

func TestDeletingStops(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	serving(t, namespace)
	replay := replayIn(namespace)
	cluster.Create(t, replay)
	waitFor(t, replay, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReceiver)
	if err := cluster.Client.Delete(t.Context(), replay); err != nil {
		t.Fatal(err)
	}
	waitGone(t, replay)
	waitWithdrawn(t, replay)
}

func TestChangedSecretIsPutRight(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	serving(t, namespace)
	replay := replayIn(namespace)
	cluster.Create(t, replay)
	waitFor(t, replay, metav1.ConditionFalse, v1alpha1.ReasonWaitingForReceiver)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: meta.DefaultNamespace, Name: meta.ReplayName(replay.UID),
	}}
	cluster.Get(t, secret)
	secret.Data[meta.ReplayKey] = []byte(`{"schemaVersion":1,"uid":"x","endpointUID":"somebody's"}`)
	if err := cluster.Client.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	wait.For(t, "the Secret is put right", func() error {
		if got := asked(t, replay); got == nil || got.UID != string(replay.UID) {
			return fmt.Errorf("it is %+v", got)
		}
		return nil
	})
}
