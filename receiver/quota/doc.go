// Package quota keeps account of what each namespace has in the store, so that
// one tenant cannot fill it for all.
//
// The account is an estimate: what was measured last, and what this process has
// added since. It costs an admission two additions and the store some questions
// a second. A limit may therefore be exceeded by what other replicas admit
// between two measurements.
//
// What a namespace has is what must be kept, pending and dead events, and what
// gives way: excerpts, history and marks. All of it counts; only what must be kept
// refuses an event.
//
// It imports queue and route.
package quota
