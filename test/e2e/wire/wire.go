// Package wire is what the end-to-end tests and their agent in the cluster say
// to each other. It imports the standard library only.
package wire

import "net/http"

// Event is one delivery that the agent accepted.
type Event struct {
	// ID is the Postern-Event-Id.
	ID     string
	Path   string
	Header http.Header
	Body   []byte
}

// Run asks the agent to run postern.
type Run struct {
	Arguments []string
	// Files are written into the working folder first, by their names.
	Files map[string][]byte
}

// Result is how that run ended.
type Result struct {
	Code              int
	Output, Complaint string
}
