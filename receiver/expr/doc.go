// Package expr compiles and evaluates CEL expressions: those of endpoints over
// one event, and those over the claims of a token. It is the one owner of their
// bounds. Expressions are written by tenants and run in the shared receiver, so
// everything here is bounded: the length and nesting of an expression, the work
// of one evaluation, the size of what it looks at and of what it returns.
//
// It imports CEL, body and the standard library, and knows nothing of routes, HTTP
// serving, the store or Kubernetes.
package expr
