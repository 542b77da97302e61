package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// endpointsByReady counts endpoints on demand: a gauge that reconciles kept up
// to date would drift with every endpoint that is deleted.
type endpointsByReady struct {
	list  func(context.Context) ([]v1alpha1.WebhookEndpoint, error)
	gauge *prometheus.Desc
}

func newEndpointsByReady(list func(context.Context) ([]v1alpha1.WebhookEndpoint, error)) *endpointsByReady {
	return &endpointsByReady{list: list, gauge: prometheus.NewDesc("postern_endpoints",
		"WebhookEndpoints by the status and reason of their Ready condition.", []string{"ready", "reason"}, nil)}
}

// Describe sends the one description.
func (e *endpointsByReady) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- e.gauge }

// Collect counts what the cache holds. Reasons are constants of the API, so the
// number of series is bounded.
func (e *endpointsByReady) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	endpoints, err := e.list(ctx)
	if err != nil {
		return // not synced yet
	}
	type labels struct{ ready, reason string }
	counts := map[labels]int{}
	for i := range endpoints {
		key := labels{ready: "Unknown", reason: "Pending"}
		ready := apimeta.FindStatusCondition(endpoints[i].Status.Conditions, v1alpha1.ConditionReady)
		if ready != nil {
			key = labels{ready: string(ready.Status), reason: ready.Reason}
		}
		counts[key]++
	}
	for key, count := range counts {
		out <- prometheus.MustNewConstMetric(e.gauge, prometheus.GaugeValue, float64(count), key.ready, key.reason)
	}
}

// register adds the manager's own metrics to those of controller-runtime.
func register(reader client.Reader) error {
	list := func(ctx context.Context) ([]v1alpha1.WebhookEndpoint, error) {
		var endpoints v1alpha1.WebhookEndpointList
		err := reader.List(ctx, &endpoints)
		return endpoints.Items, err
	}
	err := metrics.Registry.Register(newEndpointsByReady(list))
	if already := (prometheus.AlreadyRegisteredError{}); errors.As(err, &already) {
		return nil // a second manager in one process, which only tests have
	}
	if err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}
