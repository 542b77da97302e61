// Package status turns what a reconcile found into conditions, events and a
// result, and is the only place that sets conditions.
//
// Everything but [Patch] is pure. Conditions are derived from what was observed
// in this very reconcile, never from conditions that were set before.
package status
