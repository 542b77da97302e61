// Package fault is everything that a chaos run does to Postern. A [Kind] says
// what a fault may cause, how it is injected and how it heals; a plan, which
// follows from a seed, says which of them happen when. Every injection writes
// its window down before it acts and ends it once everything is ready again,
// and signals only processes that this run started.
//
// It imports world, traffic and history.
package fault
