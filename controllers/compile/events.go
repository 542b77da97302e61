package compile

import (
	"time"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/expr"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// compileEvents sets what an event is: its type and when it is the same.
func compileEvents(result *Result, r *route.Endpoint, spec v1alpha1.WebhookEndpointSpec) {
	r.EventTypeExpression = compileText(result, "spec.eventType", spec.EventType)
	given := spec.Deduplication
	r.Deduplication = route.Deduplication{
		KeyExpression: compileText(result, "spec.deduplication.key", given.Key),
		WindowSeconds: int64(window(spec) / time.Second),
		ReplayGuard:   route.ReplayGuard(given.ReplayGuard),
	}
	if r.Deduplication.ReplayGuard == "" {
		r.Deduplication.ReplayGuard = route.ReplayGuardNone
	}
	if r.Deduplication.WindowSeconds == 0 && r.Deduplication.ReplayGuard != route.ReplayGuardNone {
		result.refuse(v1alpha1.ReasonInvalidSpec, "spec.deduplication.replayGuard",
			"replayGuard: %s needs a windowSeconds above 0", r.Deduplication.ReplayGuard)
	}
}

// window returns how long an event is remembered: at least as long as its
// provider may send it again.
func window(spec v1alpha1.WebhookEndpointSpec) time.Duration {
	if seconds := spec.Deduplication.WindowSeconds; seconds != nil {
		return time.Duration(*seconds) * time.Second
	}
	preset, _ := verify.Lookup(spec.Source.Provider)
	return preset.Window()
}

func compileText(result *Result, field, source string) string {
	if source == "" {
		return ""
	}
	if _, err := expr.CompileString(source); err != nil {
		result.refuse(v1alpha1.ReasonInvalidExpression, field, "%v", err)
	}
	return source
}

func compileCondition(result *Result, field, source string) string {
	if source == "" {
		return ""
	}
	if _, err := expr.CompileBool(source); err != nil {
		result.refuse(v1alpha1.ReasonInvalidExpression, field, "%v", err)
	}
	return source
}
