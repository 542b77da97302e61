// Package traffic writes into the status of WebhookEndpoints what receivers
// count: what is pending and dead, when the last event came, how long
// deliveries take.
//
// It imports the API and of the controllers confirm and status.
package traffic

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/status"
)

const (
	// interval is how often receivers are asked.
	interval = 15 * time.Second
	// refresh is how far the time of the last event, or a latency, may be off
	// before that alone is worth a write.
	refresh = time.Minute
	// writesPerSecond bounds the load on the API server, whatever the traffic.
	writesPerSecond = 20
)

// AskFunc returns how a receiver's endpoints do.
type AskFunc func(ctx context.Context, receiver confirm.Receiver) ([]confirm.Traffic, error)

// Reporter asks the receivers now and then. It is a runnable of the manager.
type Reporter struct {
	// Client reads from the manager's cache, Patcher writes status.
	Client  client.Client
	Patcher *status.Patcher
	// Receivers lists the receivers that are ready, Ask asks one.
	Receivers confirm.Source
	Ask       AskFunc
	Logger    logr.Logger
	// Interval is how often receivers are asked; 0 means 15 s.
	Interval time.Duration

	limiter *rate.Limiter
}

// NeedLeaderElection says that one manager writes.
func (r *Reporter) NeedLeaderElection() bool { return true }

// Start asks and writes until ctx ends.
func (r *Reporter) Start(ctx context.Context) error {
	if r.Interval == 0 {
		r.Interval = interval
	}
	r.limiter = rate.NewLimiter(writesPerSecond, writesPerSecond)
	ticker := time.NewTicker(r.Interval)
	defer ticker.Stop()
	for {
		if err := r.report(ctx); err != nil && ctx.Err() == nil {
			r.Logger.Error(err, "Traffic of endpoints was not reported")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (r *Reporter) report(ctx context.Context) error {
	counted, err := r.gather(ctx)
	if err != nil || len(counted) == 0 {
		return err
	}
	var endpoints v1alpha1.WebhookEndpointList
	if err := r.Client.List(ctx, &endpoints, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list WebhookEndpoints: %w", err)
	}
	for i := range endpoints.Items {
		cached := &endpoints.Items[i]
		told, known := counted[string(cached.UID)]
		if !known || !worthWriting(&cached.Status.Traffic, &told) || r.Patcher.Stale(cached) {
			continue
		}
		if err := r.limiter.Wait(ctx); err != nil {
			return err
		}
		after := cached.DeepCopy()
		set(&after.Status.Traffic, &told)
		_, err := r.Patcher.Patch(ctx, cached, after)
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// gather adds up what the receivers say. Those on one store say the same of
// what is pending and dead; each has seen but a part of the events.
func (r *Reporter) gather(ctx context.Context) (map[string]confirm.Traffic, error) {
	receivers, err := r.Receivers(ctx)
	if err != nil {
		return nil, err
	}
	counted := map[string]confirm.Traffic{}
	for _, receiver := range receivers {
		told, err := r.Ask(ctx, receiver)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", receiver.Name, err) // half of the truth is none
		}
		for _, one := range told {
			counted[one.UID] = merged(counted[one.UID], one)
		}
	}
	return counted, nil
}

func merged(a, b confirm.Traffic) confirm.Traffic {
	b.Pending, b.Dead = max(a.Pending, b.Pending), max(a.Dead, b.Dead)
	if a.LastEventAt.After(b.LastEventAt) {
		b.LastEventAt = a.LastEventAt
	}
	if b.DeliveryP99Millis == nil || a.DeliveryP99Millis != nil && *a.DeliveryP99Millis > *b.DeliveryP99Millis {
		b.DeliveryP99Millis = a.DeliveryP99Millis
	}
	return b
}

// worthWriting keeps a busy endpoint from being written with every question.
func worthWriting(is *v1alpha1.EndpointTraffic, told *confirm.Traffic) bool {
	switch {
	case is.Pending == nil || is.Dead == nil || *is.Pending != told.Pending || *is.Dead != told.Dead:
		return true
	case told.LastEventAt.IsZero():
		return false
	default:
		return told.LastEventAt.Sub(is.LastEventTime.Time) >= refresh
	}
}

func set(traffic *v1alpha1.EndpointTraffic, told *confirm.Traffic) {
	traffic.Pending, traffic.Dead = &told.Pending, &told.Dead
	if told.LastEventAt.After(traffic.LastEventTime.Time) {
		traffic.LastEventTime = metav1.NewTime(told.LastEventAt).Rfc3339Copy()
	}
	traffic.DeliveryP99Milliseconds = told.DeliveryP99Millis
}
