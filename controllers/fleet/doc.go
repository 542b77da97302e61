// Package fleet runs the shared receivers: it applies the objects of each
// WebhookReceiver and reports how its pods do.
//
// What the objects are is controllers/resources' business, how the status
// reads is controllers/status'; this package gathers and calls them.
package fleet
