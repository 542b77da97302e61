// Package replay makes kept events due again, as replay documents ask: one
// event after the other, at the rate that was asked for, by one receiver of
// several, and on from where an earlier one stopped.
//
// It imports route and queue and knows nothing of HTTP or Kubernetes.
package replay
