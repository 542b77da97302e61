package ingest

import (
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/logsample"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/table"
)

// Options configure a [Handler]. Tables and Store are required.
type Options struct {
	// Tables returns the table in force; nil means that there is none yet.
	Tables func() *table.Table
	// Store keeps what is accepted.
	Store queue.Admitter
	// Marks tell copies of events apart that are delivered directly; nil refuses
	// events whose endpoints deliver directly and have a deduplication window.
	Marks queue.Marker
	// Quota bounds what namespaces have in the store; nil bounds nothing.
	Quota Quota
	// Deliverer is told of what was accepted; nil leaves everything to be claimed.
	Deliverer Deliverer
	// TrustedProxies are the peers whose X-Forwarded-For is believed; none by default.
	TrustedProxies []netip.Prefix
	// MemoryBudgetBytes bounds what all requests under way hold, headers and
	// answers that are not taken included; 0 means 128 MiB.
	MemoryBudgetBytes int64
	// BodyTimeout is how long a body may take, plus one second for every
	// 128 KiB that have arrived; 0 means 10 s.
	BodyTimeout time.Duration
	// RoomTimeout is how long a large body waits for room before it is read without
	// a turn; 0 means 2.5 s.
	RoomTimeout time.Duration
	// StoreTimeout is the hard cap on the store step; 0 means 2.5 s, because
	// senders give us 3 s.
	StoreTimeout time.Duration
	// CopyTimeout is how long a copy of an event that is being delivered directly
	// waits for what becomes of it; 0 means 2.5 s, likewise.
	CopyTimeout time.Duration
	// Observe, if set, is told of every answer; it must not block.
	Observe func(Result)
	// JoinTrace, if set, returns the W3C trace context that an event travels with,
	// from the sender's, which may be empty; nil passes the sender's on.
	JoinTrace func(sender, eventID string) string
	// Metrics count; nil counts nothing.
	Metrics Metrics
	// Logger gets one sampled line for each rejection; nil discards.
	Logger *slog.Logger
	// Now tells the time; nil means time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Deliverer == nil {
		o.Deliverer = nobody{}
	}
	if o.Quota == nil {
		o.Quota = unlimited{}
	}
	if o.MemoryBudgetBytes <= 0 {
		o.MemoryBudgetBytes = 128 << 20
	}
	if o.BodyTimeout <= 0 {
		o.BodyTimeout = 10 * time.Second
	}
	if o.RoomTimeout <= 0 {
		o.RoomTimeout = 2500 * time.Millisecond
	}
	if o.StoreTimeout <= 0 {
		o.StoreTimeout = 2500 * time.Millisecond
	}
	if o.CopyTimeout <= 0 {
		o.CopyTimeout = 2500 * time.Millisecond
	}
	if o.Marks == nil {
		o.Marks = unmarked{}
	}
	if o.Observe == nil {
		o.Observe = func(Result) {}
	}
	if o.Metrics == nil {
		o.Metrics = uncounted{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Handler serves all endpoints of the table in force.
type Handler struct {
	Options
	budget *budget
	// turns has the large bodies that are let in, by what they announce.
	turns *budget
	// refusals is the budget of the answers to requests that found no room in
	// the first.
	refusals *budget
	pace     pace
	copies   copies
	sampler  *logsample.Sampler
	stages   []stage
}

// stage is one step in the life of a request. It returns an answer to end the
// request, an error to refuse it, or neither to let it go on.
type stage func(*exchange) (*answer, error)

// New makes a handler.
func New(options Options) *Handler {
	options = options.withDefaults()
	h := &Handler{
		Options:  options,
		budget:   newBudget(0),
		turns:    newBudget(0),
		refusals: newBudget(0),
		sampler:  logsample.New(options.Now),
	}
	h.SetMemoryBudget(options.MemoryBudgetBytes)
	h.stages = []stage{
		h.open,
		h.find,
		h.checkMethod,
		h.checkClient,
		h.limitRate,
		h.checkAvailable,
		h.readBody,
		h.verify,
		h.identify,
		h.match,
		h.forward,
		h.checkQuota,
		h.admit,
	}
	return h
}

// SetMemoryBudget changes what all requests under way may hold. Those that hold
// more go on, and later ones wait.
func (h *Handler) SetMemoryBudget(bytes int64) {
	h.budget.resize(bytes)
	h.turns.resize(bytes - bytes/headPart)
	h.refusals.resize(bytes / refusalPart)
}

// ServeHTTP takes one request through the stages.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{request: r, started: h.Now(), deadline: newBodyDeadline(w, h.BodyTimeout)}
	// What the handler has to wait for is bounded by the stages themselves.
	_ = x.deadline.control.SetWriteDeadline(time.Time{})
	defer func() {
		x.holding.end()
		x.turn.end()
	}()
	reply := h.judge(x)
	h.slow(x, reply)
	reply.write(w, r.ProtoMajor)
	took := h.Now().Sub(x.started)
	h.Metrics.Answered(x.route(), string(reply.outcome), took)
	h.Observe(Result{
		Endpoint: x.route(), Event: x.event, Client: x.client,
		Outcome: reply.outcome, Reason: x.reason, Status: reply.status, Took: took, TraceParent: x.sender,
	})
}

// Result is what became of one request, for people who watch.
type Result struct {
	// Endpoint is nil for a path that nobody configured.
	Endpoint *route.Endpoint
	// Event is nil when the request did not come to be one.
	Event   *event.Event
	Client  netip.Addr
	Outcome Outcome
	// Reason is why the request was refused, what Audit let through, or why a target
	// has the event among its dead letters.
	Reason Reason
	Status int
	Took   time.Duration
	// TraceParent is the sender's W3C trace context, if the request came to be an event.
	TraceParent string
}

// judge always comes to an answer; a panic of a stage becomes one too, so that
// a bug that one request finds does not end the others.
func (h *Handler) judge(x *exchange) (reply *answer) {
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler:
			panic(cause)
		default:
			h.Logger.Error("Request failed", "cause", cause, "stack", string(debug.Stack()))
			reply = h.refuse(x, &Refusal{Reason: ReasonInternal})
		}
	}()
	for _, step := range h.stages {
		reply, err := step(x)
		if err != nil {
			return h.refuse(x, err)
		}
		if reply != nil {
			return reply
		}
	}
	return h.refuse(x, &Refusal{Reason: ReasonInternal, Detail: "no stage answered"})
}

// Metrics count what becomes of requests. A nil endpoint stands for every path
// that nobody configured.
type Metrics interface {
	Answered(endpoint *route.Endpoint, outcome string, took time.Duration)
	Rejected(endpoint *route.Endpoint, reason string)
	Received(endpoint *route.Endpoint, eventType string)
	Duplicate(endpoint *route.Endpoint, body string)
	KeyUsed(endpoint *route.Endpoint, key string)
	ExpressionFailed(endpoint *route.Endpoint, field string)
	Buried(endpoint *route.Endpoint, target string)
}

type uncounted struct{}

func (uncounted) Answered(*route.Endpoint, string, time.Duration) {}
func (uncounted) Rejected(*route.Endpoint, string)                {}
func (uncounted) Received(*route.Endpoint, string)                {}
func (uncounted) Duplicate(*route.Endpoint, string)               {}
func (uncounted) KeyUsed(*route.Endpoint, string)                 {}
func (uncounted) ExpressionFailed(*route.Endpoint, string)        {}
func (uncounted) Buried(*route.Endpoint, string)                  {}
