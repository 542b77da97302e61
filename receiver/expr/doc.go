// Package expr compiles and evaluates the CEL expressions of endpoints over one
// event. Expressions are written by tenants and run in the shared receiver, so
// everything here is bounded: the length and nesting of an expression, the work
// of one evaluation, the size of what it looks at and of what it returns.
//
// It imports CEL and the standard library, and knows nothing of routes, HTTP
// serving, the store or Kubernetes.
package expr
