// Package index keeps the index Secret true: how many routes there are and
// their common hash, by which a receiver that starts knows a complete table
// from half of one.
//
// The endpoint controller reports each decision to a [Table]; the controller
// of this package writes the sum. It imports receiver/route for the hash and
// never a route's content.
package index
