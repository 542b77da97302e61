package deliver

import (
	"context"

	"github.com/postern-dev/postern/receiver/route"
)

// Engine delivers events; make one with [New].
type Engine struct {
	opts Options
}

// New returns an engine that does nothing until it is started.
func New(opts Options) *Engine {
	return &Engine{opts: opts.withDefaults()}
}

// SetRoutes replaces the endpoints that the engine delivers for. Events of
// targets that are no longer named wait in the store; nothing is ever sent to
// a target that the current routes do not name.
func (e *Engine) SetRoutes(endpoints []*route.Endpoint) {}

// Start begins to deliver and returns at once. When ctx is cancelled
// everything stops on the spot and leases run out by themselves; call
// [Engine.Drain] first to stop in order.
func (e *Engine) Start(ctx context.Context) {}

// Drain takes no new events, delivers what can be delivered until ctx ends,
// gives the remaining leases back and stops the engine.
func (e *Engine) Drain(ctx context.Context) {}

// Wait returns when everything that the engine started has ended.
func (e *Engine) Wait() {}
