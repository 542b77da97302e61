package ingest

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

const writeTimeout = 10 * time.Second

// Outcome is what became of a request as a whole.
type Outcome string

// Outcomes.
const (
	OutcomeAccepted  Outcome = "accepted"
	OutcomeDuplicate Outcome = "duplicate"
	OutcomeIgnored   Outcome = "ignored"
	OutcomeHandshake Outcome = "handshake"
	OutcomeRejected  Outcome = "rejected"
)

// answer is what the sender gets.
type answer struct {
	outcome Outcome
	status  int
	header  http.Header
	body    []byte
}

// newAnswer makes a JSON answer.
func newAnswer(outcome Outcome, status int, content map[string]string) *answer {
	body, err := json.Marshal(content)
	if err != nil {
		panic(err) // a map of strings always encodes
	}
	return &answer{
		outcome: outcome,
		status:  status,
		header:  http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}},
		body:    append(body, '\n'),
	}
}

func (a *answer) write(w http.ResponseWriter) {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	if bodyAllowed(a.status) {
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	// A sender that does not read its answer must not keep the connection.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a sender that has gone gets no answer
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified && status >= http.StatusOK
}
