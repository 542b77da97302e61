// Package replay serves WebhookReplays: it asks the receivers for each, by a
// Secret in the system namespace, and tells how far they got.
//
// It imports the API, route, and of the controllers apply, confirm, meta and status.
package replay
