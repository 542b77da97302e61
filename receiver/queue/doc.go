// Package queue is the store of events: durable admission with deduplication,
// one queue per target, dead letters and history. It has two implementations
// of one contract, [Redis] and [Memory], and one conformance suite for both
// (package queuetest).
//
// The contract is in queue.go (admitting and delivering) and inspect.go
// (looking, replaying, cleaning up). Every state change of [Redis] is one Lua
// script in a file of its own; the comment above the method that calls it is
// its contract. docs/store.md draws the data model and says what is guaranteed.
//
// It is the only package that imports a Redis client. It imports event and
// knows nothing of HTTP, verification or Kubernetes.
package queue
