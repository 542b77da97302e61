// Package kube is the source of routes in a cluster: it watches the route
// Secrets of one namespace and hands on whole sets of routes.
//
// A set is handed on for the first time only when it is complete, as the
// index object tells; a Secret that cannot be read keeps its last good route.
// The last set is also kept in a directory on a memory-backed volume, for a
// restart while the API server is away. The watch is retried for ever.
//
// It imports route and client-go; it knows nothing of tables, HTTP or queues.
package kube
