// Package traffic is both ends of a chaos run: senders that sign, forge, copy
// and try again as providers do, and targets that answer, fail, hang and die as
// told. Both write down all that they do; see package history.
//
// Signatures are computed here and not by the product's packages, so that one
// bug cannot hide on both sides. It imports history and the standard library.
package traffic
