// Package metrics holds every metric of the receiver: one struct, one
// constructor, methods in words of the domain.
//
// It imports route, queue and deliver for their types and the Prometheus
// client. Cardinality is bounded by construction: label values are names of
// API objects or words of closed sets, and the series of an endpoint go when
// the endpoint goes.
package metrics
