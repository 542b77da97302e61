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

// Load asks the agent to send GitHub events until it is told to stop. Like a
// provider, it sends an event that was not answered 2xx again, under its id.
type Load struct {
	URL, Secret string
	// PerSecond is how many events are begun each second.
	PerSecond int
}

// Loaded is what became of the load.
type Loaded struct {
	// Acknowledged are the ids that the receiver gave to what it answered 2xx.
	Acknowledged []string
	// Refused counts the requests that got no 2xx, by their answer.
	Refused map[string]int
}
