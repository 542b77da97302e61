// Package definition says what a metric is, once: collectors are made from it
// and so is its line in docs/metrics.md.
//
// It imports the Prometheus client alone, so that both planes may use it.
package definition

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// namespace is the first word of every name.
const namespace = "postern"

// Kind is the type of a metric.
type Kind string

// Kinds.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Definition is one metric.
type Definition struct {
	// Name lacks the prefix postern_.
	Name string
	Kind Kind
	// Help is what a scrape says of it, and the documentation.
	Help   string
	Labels []string
	// Buckets are the upper bounds of a histogram, in the unit of the name.
	Buckets []float64
}

// FullName is the name of the metric as Prometheus knows it.
func (d Definition) FullName() string { return prometheus.BuildFQName(namespace, "", d.Name) }

// CounterVec makes the collector of a counter.
func (d Definition) CounterVec() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: d.FullName(), Help: d.Help}, d.Labels)
}

// GaugeVec makes the collector of a gauge with labels.
func (d Definition) GaugeVec() *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: d.FullName(), Help: d.Help}, d.Labels)
}

// Counter makes a counter without labels.
func (d Definition) Counter() prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: d.FullName(), Help: d.Help})
}

// Gauge makes the collector of a gauge without labels.
func (d Definition) Gauge() prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: d.FullName(), Help: d.Help})
}

// HistogramVec makes the collector of a histogram.
func (d Definition) HistogramVec() *prometheus.HistogramVec {
	options := prometheus.HistogramOpts{Name: d.FullName(), Help: d.Help, Buckets: slices.Clone(d.Buckets)}
	return prometheus.NewHistogramVec(options, d.Labels)
}

// Desc makes the description for a collector that counts on demand.
func (d Definition) Desc() *prometheus.Desc {
	return prometheus.NewDesc(d.FullName(), d.Help, d.Labels, nil)
}
