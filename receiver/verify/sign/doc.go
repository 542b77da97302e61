// Package sign builds requests as providers would send them: realistic bodies
// and the headers that prove them. It is what `postern send` and tests use.
//
// It imports verify, whose table of providers it runs the other way, JOSE for
// tokens, and the standard library.
package sign
