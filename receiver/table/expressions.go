package table

import (
	"errors"
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Facts are what expressions and filters see of one verified request.
type Facts struct {
	ID         string
	Type       string
	Source     string
	ReceivedAt time.Time
	Header     http.Header
	Body       []byte
}

type textExpression func(*Facts) (string, error)

type boolExpression func(*Facts) (bool, error)

func compileText(field, source string) (textExpression, error) {
	if source == "" {
		return nil, nil
	}
	return nil, errors.New("not yet")
}

func compileBool(field, source string) (boolExpression, error) {
	if source == "" {
		return nil, nil
	}
	return nil, errors.New("not yet")
}

func (e *Endpoint) compileExpressions() error {
	var err error
	if e.eventType, err = compileText("eventType", e.Route.EventTypeExpression); err != nil {
		return err
	}
	if e.dedupKey, err = compileText("deduplication.key", e.Route.Deduplication.KeyExpression); err != nil {
		return err
	}
	return e.compileTargets()
}

// EventType evaluates the endpoint's own expression for the event type; with
// none, or when it fails, it returns the type in facts.
func (e *Endpoint) EventType(facts *Facts) (string, error) {
	if e.eventType == nil {
		return facts.Type, nil
	}
	value, err := e.eventType(facts)
	if err != nil {
		return facts.Type, err
	}
	return value, nil
}

// DedupKey evaluates the endpoint's own expression for the deduplication key;
// with none, when it fails, or when it gives nothing, it returns deliveryID.
func (e *Endpoint) DedupKey(facts *Facts, deliveryID string) (string, error) {
	if e.dedupKey == nil {
		return deliveryID, nil
	}
	value, err := e.dedupKey(facts)
	if err != nil || value == "" {
		return deliveryID, err
	}
	return value, nil
}

var _ = route.DeliveryQueued
