package server

import "github.com/postern-dev/postern/receiver/ingest"

// observer tells the tracer of answers, and whoever else watches.
func (o Options) observer() func(ingest.Result) {
	switch {
	case o.Tracer == nil:
		return o.Observe
	case o.Observe == nil:
		return o.Tracer.Answered
	}
	return func(result ingest.Result) {
		o.Tracer.Answered(result)
		o.Observe(result)
	}
}

// joinTrace is nil without a tracer: then the hot path does nothing for traces.
func (o Options) joinTrace() func(sender, eventID string) string {
	if o.Tracer == nil {
		return nil
	}
	return o.Tracer.Join
}
