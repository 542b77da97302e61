package traffic_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/status"
	"github.com/postern-dev/postern/controllers/traffic"
	"github.com/postern-dev/postern/test/wait"
)

var cluster *controltest.Cluster

func TestMain(m *testing.M) {
	os.Exit(controltest.Main(controllers.NewScheme, func(started *controltest.Cluster) (int, error) {
		cluster = started
		return m.Run(), nil
	}))
}

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// receivers are two that can be told what to say; each question is answered
// once the test has looked at the last answer's effect.
type receivers struct {
	mu    sync.Mutex
	says  map[string][]confirm.Traffic
	err   error
	asked chan struct{}
}

func (r *receivers) list(context.Context) ([]confirm.Receiver, error) {
	return []confirm.Receiver{{Name: "one"}, {Name: "two"}}, nil
}

func (r *receivers) ask(_ context.Context, receiver confirm.Receiver) ([]confirm.Traffic, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if receiver.Name == "one" {
		select {
		case r.asked <- struct{}{}:
		default:
		}
	}
	return r.says[receiver.Name], r.err
}

func (r *receivers) say(one, two []confirm.Traffic, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.says, r.err = map[string][]confirm.Traffic{"one": one, "two": two}, err
}

// rounds waits until the receivers were asked so many times more.
func (r *receivers) rounds(t *testing.T, count int) {
	t.Helper()
	for range count {
		wait.Next(t, "a question to the receivers", r.asked)
	}
}

func TestReporter(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	endpoint := &v1alpha1.WebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "open"},
		Spec: v1alpha1.WebhookEndpointSpec{
			Source: v1alpha1.Source{Provider: "none"},
			Targets: []v1alpha1.Target{{
				Service: v1alpha1.ServiceReference{Name: "builder", Port: intstr.FromInt32(80)},
			}},
		},
	}
	cluster.Create(t, endpoint)
	uid := string(endpoint.UID)
	told := &receivers{asked: make(chan struct{})}
	told.say(
		[]confirm.Traffic{{UID: uid, Pending: 3, Dead: 2, LastEventAt: noon, DeliveryP99Millis: ptr.To[int64](40)}},
		[]confirm.Traffic{
			{UID: "unknown", Pending: 99},
			{UID: uid, Pending: 4, Dead: 2, LastEventAt: noon.Add(time.Second), DeliveryP99Millis: ptr.To[int64](30)},
		}, nil)
	reporter := &traffic.Reporter{
		Client: cluster.Client, Patcher: status.NewPatcher(cluster.Client),
		Receivers: told.list, Ask: told.ask, Logger: logr.Discard(), Interval: time.Millisecond,
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- reporter.Start(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	await := func(what string, want v1alpha1.EndpointTraffic) string {
		t.Helper()
		wait.For(t, what, func() error {
			select {
			case <-told.asked:
			default:
			}
			cluster.Get(t, endpoint)
			got := endpoint.Status.Traffic
			if got.Pending == nil || *got.Pending != *want.Pending || *got.Dead != *want.Dead ||
				!got.LastEventTime.Equal(&want.LastEventTime) ||
				*got.DeliveryP99Milliseconds != *want.DeliveryP99Milliseconds {
				return fmt.Errorf("traffic is %+v", got)
			}
			return nil
		})
		return endpoint.ResourceVersion
	}
	version := await("what both say is merged", v1alpha1.EndpointTraffic{
		Pending: ptr.To[int64](4), Dead: ptr.To[int64](2), DeliveryP99Milliseconds: ptr.To[int64](40),
		LastEventTime: metav1.NewTime(noon.Add(time.Second)),
	})

	told.say([]confirm.Traffic{{UID: uid, Pending: 4, Dead: 2, LastEventAt: noon.Add(30 * time.Second)}}, nil, nil)
	told.rounds(t, 3)
	if cluster.Get(t, endpoint); endpoint.ResourceVersion != version {
		t.Errorf("an event half a minute later was worth a write: %+v", endpoint.Status.Traffic)
	}
	told.say([]confirm.Traffic{{UID: uid, Pending: 0, Dead: 2}}, nil, errors.New("away"))
	told.rounds(t, 3)
	if cluster.Get(t, endpoint); endpoint.ResourceVersion != version {
		t.Errorf("half of the receivers were believed: %+v", endpoint.Status.Traffic)
	}
	told.say([]confirm.Traffic{{UID: uid, Pending: 0, Dead: 2, DeliveryP99Millis: ptr.To[int64](7)}}, nil, nil)
	await("a restarted receiver does not take the last event away", v1alpha1.EndpointTraffic{
		Pending: ptr.To[int64](0), Dead: ptr.To[int64](2), DeliveryP99Milliseconds: ptr.To[int64](7),
		LastEventTime: metav1.NewTime(noon.Add(time.Second)),
	})
}
