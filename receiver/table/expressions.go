package table

import (
	"fmt"

	"github.com/postern-dev/postern/receiver/expr"
)

// Facts are what expressions and filters see of one verified request. They
// are not safe for concurrent use.
type Facts = expr.Activation

// NewFacts returns the facts of one request; the body is parsed when the first
// expression looks into it.
func NewFacts(event expr.Event, request expr.Request) *Facts {
	return expr.NewActivation(event, request)
}

func (e *Endpoint) compileExpressions() error {
	var err error
	if e.eventType, err = compileString("eventType", e.Route.EventTypeExpression); err != nil {
		return err
	}
	if e.dedupKey, err = compileString("deduplication.key", e.Route.Deduplication.KeyExpression); err != nil {
		return err
	}
	return e.compileTargets()
}

// compileString returns nil for an expression that is not set.
func compileString(field, source string) (*expr.String, error) {
	if source == "" {
		return nil, nil
	}
	compiled, err := expr.CompileString(source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return compiled, nil
}

// EventType evaluates the endpoint's own expression for the event type; with
// none, or when it fails, it returns the type in facts.
func (e *Endpoint) EventType(facts *Facts) (string, error) {
	if e.eventType == nil {
		return facts.Event.Type, nil
	}
	value, err := e.eventType.Eval(facts)
	if err != nil {
		return facts.Event.Type, err
	}
	return value, nil
}

// DedupKey evaluates the endpoint's own expression for the deduplication key;
// with none, when it fails, or when it gives nothing, it returns deliveryID.
func (e *Endpoint) DedupKey(facts *Facts, deliveryID string) (string, error) {
	if e.dedupKey == nil {
		return deliveryID, nil
	}
	value, err := e.dedupKey.Eval(facts)
	if err != nil || value == "" {
		return deliveryID, err
	}
	return value, nil
}
