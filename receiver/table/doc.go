// Package table is what requests are looked up in: the routes, compiled and
// immutable, with everything that judging a request needs.
//
// A [Table] is built completely and then swapped in by [Current.Set]; readers
// take no lock. An endpoint whose route did not change is carried over as it
// is, so that its rate limiter keeps its state. An endpoint whose new route
// does not compile keeps the last one that did, and [Table.Problems] says so.
//
// It imports route, verify and expr; it knows nothing of HTTP serving, queues
// or Kubernetes.
package table
