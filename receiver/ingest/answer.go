package ingest

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"
)

const (
	writeTimeout = 10 * time.Second
	// refusalTimeout is for answers of a few words, which fit into any buffer on
	// the way.
	refusalTimeout = 2 * time.Second
	fewBytes       = 1 << 10
)

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

// answerHeader is that of every JSON answer; nobody changes it.
var answerHeader = http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}}

// answerFor tells the id of an event, which is hex digits. It answers almost
// every request, and does without reflection for that.
func answerFor(outcome Outcome, eventID string) *answer {
	return &answer{
		outcome: outcome,
		status:  http.StatusOK,
		header:  answerHeader,
		body:    []byte(`{"id":"` + eventID + `","status":"` + string(outcome) + `"}` + "\n"),
	}
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
		header:  maps.Clone(answerHeader),
		body:    append(body, '\n'),
	}
}

// write returns when the answer has been taken. The server of HTTP/2 would
// write it after the handler, when nothing counts it any more.
func (a *answer) write(w http.ResponseWriter, protoMajor int) {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	if bodyAllowed(a.status) {
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	// A sender that does not read its answer must not keep the connection.
	timeout := writeTimeout
	if a.outcome == OutcomeRejected && len(a.body) < fewBytes {
		timeout = refusalTimeout
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(timeout))
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // a sender that has gone gets no answer
	if protoMajor >= 2 {
		_ = control.Flush()
	}
}

func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified && status >= http.StatusOK
}
