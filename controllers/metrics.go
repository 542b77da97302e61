package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/metrics/definition"
)

// The manager's own metrics, beside those of controller-runtime.
var (
	endpointsTotal = definition.Definition{
		Name: "endpoints", Kind: definition.Gauge, Labels: []string{"ready", "reason"},
		Help: "WebhookEndpoints by the status and reason of their Ready condition.",
	}
	endpointReady = definition.Definition{
		Name: "endpoint_ready", Kind: definition.Gauge, Labels: []string{"namespace", "endpoint", "reason"},
		Help: "1 while a WebhookEndpoint is ready, with the reason of its Ready condition.",
	}
	receiverReady = definition.Definition{
		Name: "receiver_ready", Kind: definition.Gauge, Labels: []string{"namespace", "receiver", "reason"},
		Help: "1 while a WebhookReceiver is ready, with the reason of its Ready condition.",
	}
)

// MetricDefinitions are the manager's own metrics.
func MetricDefinitions() []definition.Definition {
	return []definition.Definition{endpointsTotal, endpointReady, receiverReady}
}

// readiness counts objects on demand: gauges that reconciles kept up to date
// would drift with every object that is deleted.
type readiness struct {
	list                          func(context.Context) (objects, error)
	endpoints, endpoint, receiver *prometheus.Desc
}

// objects are what the cache holds.
type objects struct {
	endpoints []v1alpha1.WebhookEndpoint
	receivers []v1alpha1.WebhookReceiver
}

func newReadiness(list func(context.Context) (objects, error)) *readiness {
	return &readiness{
		list: list, endpoints: endpointsTotal.Desc(), endpoint: endpointReady.Desc(), receiver: receiverReady.Desc(),
	}
}

// Describe implements [prometheus.Collector].
func (r *readiness) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- r.endpoints
	descriptions <- r.endpoint
	descriptions <- r.receiver
}

// Collect tells what the cache holds. Reasons are constants of the API and an
// object has one at a time, so the number of series is bounded.
func (r *readiness) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	found, err := r.list(ctx)
	if err != nil {
		return // not synced yet
	}
	counts := map[[2]string]int{}
	for i := range found.endpoints {
		object := &found.endpoints[i]
		status, reason := ready(object.Status.Conditions)
		counts[[2]string{status, reason}]++
		out <- gauge(r.endpoint, truth(status), object.Namespace, object.Name, reason)
	}
	for key, count := range counts {
		out <- gauge(r.endpoints, float64(count), key[0], key[1])
	}
	for i := range found.receivers {
		object := &found.receivers[i]
		status, reason := ready(object.Status.Conditions)
		out <- gauge(r.receiver, truth(status), object.Namespace, object.Name, reason)
	}
}

// ready reads the summary of the conditions.
func ready(conditions []metav1.Condition) (status, reason string) {
	if summary := apimeta.FindStatusCondition(conditions, v1alpha1.ConditionReady); summary != nil {
		return string(summary.Status), summary.Reason
	}
	return string(metav1.ConditionUnknown), "Pending"
}

func truth(status string) float64 {
	if status == string(metav1.ConditionTrue) {
		return 1
	}
	return 0
}

func gauge(desc *prometheus.Desc, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
}

// register adds the manager's own metrics to those of controller-runtime.
func register(reader client.Reader) error {
	err := metrics.Registry.Register(newReadiness(func(ctx context.Context) (objects, error) {
		var endpoints v1alpha1.WebhookEndpointList
		var receivers v1alpha1.WebhookReceiverList
		err := errors.Join(reader.List(ctx, &endpoints), reader.List(ctx, &receivers))
		return objects{endpoints: endpoints.Items, receivers: receivers.Items}, err
	}))
	if already := (prometheus.AlreadyRegisteredError{}); errors.As(err, &already) {
		return nil // a second manager in one process, which only tests have
	}
	if err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	return nil
}
