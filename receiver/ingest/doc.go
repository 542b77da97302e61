// Package ingest is the hot path: it takes one HTTP request through the stages
// that [Handler] names and answers it. A request that is not acknowledged was
// not kept; one that is acknowledged is in the store.
//
// Each stage is a file. A stage lets the request go on, answers it, or refuses
// it with a [Refusal]; what status a refusal becomes is said in one table.
// Nothing touches the store before the signature holds.
//
// It imports route, event, verify, queue and table. It knows nothing of
// Kubernetes, of how events are delivered ([Deliverer] is its view of that)
// or of listeners.
package ingest
