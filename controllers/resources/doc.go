// Package resources turns a WebhookReceiver into the objects that run it.
//
// It is pure: no client, no clock, no context; equal input gives equal objects
// in a fixed order. It imports the API types, controllers/meta and the names
// that the receiver's command line and store accept; it writes nothing.
package resources
