package history

import "time"

// Record is one line of a history. Exactly one of the pointers is set.
type Record struct {
	// At is nanoseconds since the Unix epoch on a clock that never jumps: the
	// wall clock when the recording process started plus monotonic time since.
	At int64 `json:"t"`
	// Skew is the wall clock at that moment minus At, in nanoseconds, left out
	// below a millisecond.
	Skew int64 `json:"skew,omitempty"`
	// Actor is the file that the record comes from; it is not part of the line.
	Actor string `json:"-"`

	Run      *Run      `json:"run,omitempty"`
	Process  *Process  `json:"process,omitempty"`
	Endpoint *Endpoint `json:"endpoint,omitempty"`
	Send     *Send     `json:"send,omitempty"`
	Response *Response `json:"response,omitempty"`
	Receive  *Receive  `json:"receive,omitempty"`
	Fault    *Fault    `json:"fault,omitempty"`
	Admin    *Admin    `json:"admin,omitempty"`
	Dead     *Dead     `json:"dead,omitempty"`
	Sample   *Sample   `json:"sample,omitempty"`
	Scrape   *Scrape   `json:"scrape,omitempty"`
}

// Time is At as a time.
func (r *Record) Time() time.Time { return time.Unix(0, r.At) }

// Sender is the sender's id of the event that the record is about, empty when it
// is about none.
func (r *Record) Sender() string {
	switch {
	case r.Send != nil:
		return r.Send.ID
	case r.Response != nil:
		return r.Response.ID
	case r.Receive != nil:
		return r.Receive.ID
	case r.Dead != nil:
		return r.Dead.ID
	case r.Admin != nil:
		return r.Admin.ID
	default:
		return ""
	}
}

// Run says what was run and by which bounds it is judged. There is one.
type Run struct {
	Scenario string `json:"scenario"`
	Seed     uint64 `json:"seed"`
	// Mutant names the known-bad build that was run; empty for the product.
	Mutant string `json:"mutant,omitempty"`
	// Command repeats the run.
	Command string `json:"command,omitempty"`
	// DrainSeconds is how long after the last fault and the last answer the
	// backlog may last.
	DrainSeconds float64 `json:"drainSeconds"`
	// RecoverySeconds is how long after a fault the first delivery of what was
	// acknowledged before its end may take; 0 means that it is not judged.
	RecoverySeconds float64 `json:"recoverySeconds,omitempty"`
	// Unjudged are the invariants of which the run need not show anything. A
	// verdict over nothing on any other is a failure.
	Unjudged []string `json:"unjudged,omitempty"`
	// Never are reasons for which the receiver must refuse nothing in this run.
	Never []string `json:"never,omitempty"`
	// Limits are upper bounds of samples, by process and then by value.
	Limits map[string]map[string]float64 `json:"limits,omitempty"`
}

// Process is the start or the end of one incarnation of a process. Those named
// receiver, with or without a number after it, are the ones under test.
type Process struct {
	Name    string `json:"name"`
	PID     int    `json:"pid"`
	Started bool   `json:"started,omitempty"`
	// Detail is the command at the start, the way it ended at the end.
	Detail string `json:"detail,omitempty"`
}

// Endpoint is a version of a route in force from the record on. Between
// AppliedAt and the record either version may have been in force.
type Endpoint struct {
	// Name is namespace/name.
	Name string `json:"name"`
	// Version counts from 1.
	Version int `json:"version"`
	// AppliedAt is when the change was made, on the clock of [Record.At]; 0
	// means at the record.
	AppliedAt int64 `json:"appliedAt,omitempty"`
	// Removed ends the endpoint: what is queued for it need not be delivered.
	Removed  bool   `json:"removed,omitempty"`
	Provider string `json:"provider,omitempty"`
	// DedupSeconds is the window of deduplication; 0 means that it is off.
	DedupSeconds int64    `json:"dedupSeconds,omitempty"`
	Retry        Retry    `json:"retry"`
	Targets      []Target `json:"targets,omitempty"`
}

// Retry is the retry policy of an endpoint.
type Retry struct {
	InitialBackoffSeconds int64 `json:"initialBackoffSeconds"`
	MaxBackoffSeconds     int64 `json:"maxBackoffSeconds"`
	MaxAgeSeconds         int64 `json:"maxAgeSeconds"`
	MaxAttempts           int   `json:"maxAttempts,omitempty"`
}

// Target is one destination of an endpoint.
type Target struct {
	Name string `json:"name"`
	// Types are globs of event types; empty means all.
	Types []string `json:"types,omitempty"`
	// TimeoutSeconds bounds one attempt.
	TimeoutSeconds int64 `json:"timeoutSeconds,omitempty"`
}

// Send is the beginning of one request of a sender.
type Send struct {
	// ID is the sender's id of the event, unique in the run.
	ID       string `json:"id"`
	Endpoint string `json:"ep"`
	Type     string `json:"type,omitempty"`
	// Attempt counts the requests for the id from 1; concurrent copies have one
	// number each.
	Attempt int `json:"n"`
	// Body is the digest of the body; see [Digest].
	Body string `json:"sha"`
	// Forged says what is wrong with the request; empty when it verifies.
	Forged string `json:"forged,omitempty"`
}

// Verifiable tells whether the receiver should believe the request.
func (s *Send) Verifiable() bool { return s.Forged == "" }

// Response is the end of one request of a sender.
type Response struct {
	ID      string `json:"id"`
	Attempt int    `json:"n"`
	// Code is the status when the answer was read in full, else 0.
	Code int `json:"code,omitempty"`
	// Error says why there is no answer: then the outcome is unknown, unless it
	// is [ErrorRefused].
	Error string `json:"err,omitempty"`
	// Status is the word of the answer: accepted, duplicate or ignored, or the
	// reason of a refusal.
	Status string `json:"status,omitempty"`
	// EventID is the receiver's id of the event.
	EventID string `json:"ev,omitempty"`
}

// ErrorRefused is the error of a request that found nobody to connect to.
const ErrorRefused = "refused"

// Receive is one request that a target got, written when it was answered.
type Receive struct {
	// Target is namespace/endpoint/target, as the target knows itself.
	Target string `json:"to"`
	// Endpoint is the Postern-Endpoint header.
	Endpoint string `json:"ep"`
	// ID is the sender's id as found in the body.
	ID      string `json:"id"`
	EventID string `json:"ev"`
	// Attempt is the Postern-Attempt header; 0 when it is not a number.
	Attempt int  `json:"n"`
	Replay  bool `json:"replay,omitempty"`
	// Body is the digest of the body; see [Digest].
	Body string `json:"sha"`
	// Verified is the Postern-Verified header.
	Verified bool `json:"ok,omitempty"`
	// Code is the status that was sent, 0 when the request was not answered.
	Code int `json:"code,omitempty"`
	// RetryAfter is the answer's header in seconds.
	RetryAfter int `json:"after,omitempty"`
	// TookNanos is the time between the request and the record.
	TookNanos int64 `json:"took,omitempty"`
}

// Began is when the request arrived, on the clock of [Record.At].
func (r *Record) Began() int64 {
	if r.Receive == nil {
		return r.At
	}
	return r.At - r.Receive.TookNanos
}

// Excuse is something that a fault may cause without the product being wrong.
type Excuse string

// Excuses.
const (
	// ExcuseDuplicates: an event may be delivered once more.
	ExcuseDuplicates Excuse = "duplicates"
	// ExcuseCorruption: events may be quarantined as dead letters.
	ExcuseCorruption Excuse = "corruption"
	// ExcuseRequests: there are requests that the history does not have, all of
	// which must be refused.
	ExcuseRequests Excuse = "requests"
	// ExcuseRefusals: requests may be refused in the name of another endpoint.
	ExcuseRefusals Excuse = "refusals"
	// ExcuseCounters: the counters of an endpoint may begin again.
	ExcuseCounters Excuse = "counters"
	// ExcuseVersions: events may be written by a build that the next one cannot read.
	ExcuseVersions Excuse = "versions"
)

// Phase is where in a fault its record stands.
type Phase string

// Phases of a fault; Point is one without a length.
const (
	Begin Phase = "begin"
	End   Phase = "end"
	Point Phase = "point"
)

// Fault is the begin, the end or the moment of one injected fault.
type Fault struct {
	// N joins begin and end.
	N     int    `json:"n"`
	Kind  string `json:"kind"`
	Who   string `json:"who"`
	Phase Phase  `json:"phase"`
	// Excuses and all below stand at the begin. Targets narrows the excuses to
	// some targets (namespace/endpoint/target); empty means all.
	Excuses []Excuse `json:"excuses,omitempty"`
	Targets []string `json:"targets,omitempty"`
	// AtBegin narrows what duplicates are excused to those of deliveries that the
	// begin interrupts, as a kill does. Else all of the window excuses them.
	AtBegin bool `json:"atBegin,omitempty"`
	// AtEnd is how many more are excused at the end, where AtBegin is set: a
	// process that was stopped may go on with what it was about to do.
	AtEnd int `json:"atEnd,omitempty"`
	// AllowSeconds is how long after the end an event may wait that somebody had
	// in hand during the fault, because of AllowWhy.
	AllowSeconds float64 `json:"allowSeconds,omitempty"`
	AllowWhy     string  `json:"allowWhy,omitempty"`
	Detail       string  `json:"detail,omitempty"`
}

// Actions of [Admin].
const (
	ActionReplay = "replay"
	ActionConfig = "config"
	// ActionDiscard gives a dead letter up; the detail is the reason of its death.
	ActionDiscard = "discard"
)

// Admin is something that the operator did.
type Admin struct {
	Action   string `json:"action"`
	Endpoint string `json:"ep,omitempty"`
	// Target narrows a replay to namespace/endpoint/target, empty means all; a
	// discard names it.
	Target string `json:"to,omitempty"`
	// ID is the sender's id of the event.
	ID     string `json:"id,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Dead is one dead letter found when the run was over.
type Dead struct {
	// Target is namespace/endpoint/target.
	Target string `json:"to"`
	// ID is the sender's id, as the receiver has it; EventID the receiver's.
	ID      string `json:"id"`
	EventID string `json:"ev,omitempty"`
	Reason  string `json:"reason"`
}

// Names of values in a [Sample].
const (
	ValueRSS         = "rss_bytes"
	ValueFDs         = "fds"
	ValueCPU         = "cpu_seconds"
	ValueStoreMemory = "store_memory_bytes"
	// ValueStoreUsed is the store's used memory in percent of its maxmemory.
	ValueStoreUsed = "store_used_percent"
	ValueStoreDisk = "store_disk_bytes"
	// ValuePending is the events pending at all targets together.
	ValuePending = "pending"
	// ValueReady is 1 when the process is ready, else 0.
	ValueReady = "ready"
)

// Sample is what a process used at one moment.
type Sample struct {
	Process string             `json:"process"`
	Values  map[string]float64 `json:"values"`
}

// Counts are the totals of one endpoint's counters.
type Counts struct {
	Accepted  int64 `json:"accepted"`
	Duplicate int64 `json:"duplicate"`
	Ignored   int64 `json:"ignored"`
	Rejected  int64 `json:"rejected"`
	// Delivered and Dead are sums over the endpoint's targets.
	Delivered int64 `json:"delivered"`
	Dead      int64 `json:"dead"`
}

// Scrape is the metrics of one incarnation of the receiver at one moment.
type Scrape struct {
	Process string `json:"process"`
	PID     int    `json:"pid"`
	// TookNanos is the time between the request and the record.
	TookNanos int64             `json:"took"`
	Endpoints map[string]Counts `json:"endpoints"`
	// MarksDropped counts the deduplication marks that gave way to memory.
	MarksDropped int64 `json:"marksDropped,omitempty"`
}
