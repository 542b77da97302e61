// Package history is what a chaos run writes down: who sent, answered and
// received what, which faults were injected when, and what the processes used.
// Every actor appends JSON lines to a file of its own; [Read] merges the files
// of a folder into one sequence. A history is self-contained: the checker needs
// nothing else, and a failing one becomes a regression case.
//
// It imports the standard library only.
package history
