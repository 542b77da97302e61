// Package check judges a history: did everything that was acknowledged arrive,
// was nothing else delivered, and did the product stay within its bounds.
//
//	I1  durability    every acknowledged event was delivered to every target, or is a dead letter with a reason
//	I2  authenticity  nothing unverified was acknowledged or delivered, and bodies arrived byte for byte
//	I3  duplicates    a second delivery only where a declared fault excuses it
//	I4  phantoms      nothing arrived that was not sent, nor at a target that it was not for
//	I5  schedule      retries keep back-off, Retry-After, the order and the number of attempts
//	I6  liveness      after each fault the backlog begins to drain at once, and it ends
//	I7  bounds        memory, disk and descriptors stay below their limits
//	I9  metrics       counters agree with the history
//
// (I8 is the order of events, which Postern does not promise.) Outcomes have
// the classes of Jepsen: ok (a 2xx that was read), fail (another answer) and
// info (no answer: the event may or may not be stored).
//
// All of it is pure and one pass over the records; memory grows with the number
// of events, by some 300 bytes each. It imports history and the standard library.
package check
