// Package meta holds every name that the controllers give to things: labels,
// annotations, finalizers, object names, cache indexes and the field owner.
//
// It imports Kubernetes meta types only and has no behaviour beyond naming.
package meta
