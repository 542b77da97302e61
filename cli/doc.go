// Package cli is the command tree of the one binary: what people run (dev,
// send, verify, validate, providers, events) and what pods run (receiver,
// manager). Each command is a package below; this one joins them and turns
// their errors into exit statuses.
package cli
