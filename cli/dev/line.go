package dev

import (
	"fmt"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/ingest"
)

// Verdicts beside the outcomes of ingest.
const (
	verdictRetried = "retried"
	verdictDead    = "dead"
)

// line is what is said about one event; its JSON form is the output of -o json.
type line struct {
	Time       time.Time `json:"time"`
	Endpoint   string    `json:"endpoint,omitempty"`
	Source     string    `json:"source,omitempty"`
	Type       string    `json:"type,omitempty"`
	ID         string    `json:"id,omitempty"`
	DeliveryID string    `json:"deliveryId,omitempty"`
	// Verdict is accepted, duplicate, ignored, handshake or rejected, and for
	// later attempts retried or dead.
	Verdict string `json:"verdict"`
	Reason  string `json:"reason,omitempty"`
	// Status is the answer to the sender.
	Status int `json:"status,omitempty"`
	// Target is the attempt; absent when there was none (yet).
	Target *targetLine `json:"target,omitempty"`
}

type targetLine struct {
	Name          string  `json:"name"`
	Attempt       int     `json:"attempt,omitempty"`
	Result        string  `json:"result"`
	Reason        string  `json:"reason,omitempty"`
	Status        int     `json:"status,omitempty"`
	LatencyMillis float64 `json:"latencyMillis"`
	RetryInMillis int64   `json:"retryInMillis,omitempty"`
}

func lineOfAnswer(result ingest.Result) line {
	said := line{
		Time: time.Now(), Verdict: string(result.Outcome), Reason: string(result.Reason), Status: result.Status,
	}
	if result.Endpoint != nil {
		said.Endpoint = result.Endpoint.Namespace + "/" + result.Endpoint.Name
		said.Source = result.Endpoint.Source.Label()
	}
	if result.Event != nil {
		said.identify(result.Event)
	}
	return said
}

func lineOfAttempt(report deliver.Report) line {
	said := line{
		Time: time.Now(), Endpoint: report.Ref.Namespace + "/" + report.Ref.Endpoint,
		Verdict: string(ingest.OutcomeAccepted),
		Target: &targetLine{
			Name: report.Ref.Target, Attempt: report.Attempt, Result: string(report.Result), Reason: report.Reason,
			Status: report.Status, LatencyMillis: float64(report.Latency.Microseconds()) / 1000,
			RetryInMillis: report.RetryIn.Milliseconds(),
		},
	}
	switch {
	case report.Attempt == 0:
		said.Verdict = verdictDead
	case report.Attempt > 1:
		said.Verdict = verdictRetried
	}
	if report.Event != nil {
		said.Source = report.Event.Source
		said.identify(report.Event)
	}
	return said
}

func (l *line) identify(e *event.Event) { l.Type, l.ID, l.DeliveryID = e.Type, e.ID, e.DeliveryID }

// text is the form for people.
func (l line) text(style style) string {
	columns := []string{
		l.Time.Format(time.TimeOnly), pad(l.Endpoint, 20), pad(l.Type, 20), pad(l.ID, 32),
		style.verdict(l.Verdict, pad(l.Verdict, 9)),
	}
	switch {
	case l.Target != nil:
		columns = append(columns, l.Target.text(style))
	case l.Reason != "":
		columns = append(columns, l.Reason)
	case l.Verdict == string(ingest.OutcomeAccepted):
		columns = append(columns, "no target has been tried yet")
	}
	return strings.TrimRight(strings.Join(columns, "  "), " ") + "\n"
}

func (t *targetLine) text(style style) string {
	answer := t.Reason
	if t.Status != 0 {
		answer = fmt.Sprint(t.Status)
	}
	text := fmt.Sprintf("%s %s in %.0f ms", t.Name, style.result(t.Result, answer), t.LatencyMillis)
	switch deliver.Result(t.Result) {
	case deliver.ResultRetry:
		text += fmt.Sprintf(", again in %s", (time.Duration(t.RetryInMillis) * time.Millisecond).Round(100*time.Millisecond))
	case deliver.ResultDead:
		text += ", dead letter"
	}
	return text
}

func pad(text string, width int) string {
	if text == "" {
		text = "-"
	}
	return fmt.Sprintf("%-*s", width, text)
}

// style colours words on terminals.
type style struct{ colours bool }

const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (s style) paint(colour, text string) string {
	if !s.colours {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func (s style) verdict(verdict, text string) string {
	switch verdict {
	case string(ingest.OutcomeAccepted):
		return s.paint(green, text)
	case string(ingest.OutcomeRejected), verdictDead:
		return s.paint(red, text)
	}
	return s.paint(yellow, text)
}

func (s style) result(result, text string) string {
	if deliver.Result(result) == deliver.ResultDelivered {
		return s.paint(green, text)
	}
	return s.paint(red, text)
}
