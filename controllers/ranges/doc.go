// Package ranges keeps the address ranges that providers publish for their
// webhooks, so that endpoints can allow them by the provider's name.
//
// Ranges are never built in: they are fetched from the provider's own list,
// refreshed, and the last good list is kept over failures and restarts.
//
// It imports controllers/apply and controllers/meta; what the ranges are used
// for is compile's matter.
package ranges
