package expr

import (
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/interpreter"

	"github.com/postern-dev/postern/receiver/body"
)

// ErrQuery means that an expression looked into a query that has an invalid
// escape or a semicolon.
var ErrQuery = errors.New("the query is not valid")

// Event is the variable event.
type Event struct {
	ID         string
	Type       string
	Source     string
	ReceivedAt time.Time
}

// Request is what expressions see of a request: the parts that targets get,
// without credentials.
type Request struct {
	Method string
	// Path is the path as it was sent.
	Path string
	// RawQuery is the query without the question mark.
	RawQuery string
	Header   http.Header
	Body     *body.Reader
}

// Activation is what expressions see of one event. Every program that is
// evaluated for the event takes the same one: what an expression asks for is
// converted or parsed when the first of them asks, and never twice. It is not
// safe for concurrent use, and the request may not change while it is used.
type Activation struct {
	// Event may be changed between evaluations.
	Event Event
	// Untyped, if set, is why event.type cannot be looked into.
	Untyped error

	request Request

	headers map[string]string
	query   url.Values
	digest  types.String
	// unread is why a part of the request could not be read.
	unread error
}

var _ interpreter.Activation = (*Activation)(nil)

// NewActivation returns the activation of one event.
func NewActivation(event Event, request Request) *Activation {
	return &Activation{Event: event, request: request}
}

// Parent returns nil: there is no outer scope.
func (*Activation) Parent() interpreter.Activation { return nil }

// ResolveName returns the value of a variable.
func (a *Activation) ResolveName(name string) (any, bool) {
	switch name {
	case varMethod:
		return types.String(a.request.Method), true
	case varPath:
		return types.String(a.request.Path), true
	case varQuery:
		return a.parsedQuery(), true
	case varHeaders:
		return a.lowerHeaders(), true
	case varBody:
		return a.parsedBody(), true
	case varForm:
		return a.parsedForm(), true
	case varBodySHA256:
		return a.bodySHA256(), true
	}
	return a.resolveEvent(name)
}

func (a *Activation) resolveEvent(name string) (any, bool) {
	switch name {
	case varEventID:
		return types.String(a.Event.ID), true
	case varEventType:
		if a.Untyped != nil {
			return a.fails(a.Untyped), true
		}
		return types.String(a.Event.Type), true
	case varEventSource:
		return types.String(a.Event.Source), true
	case varEventReceivedAt:
		return types.Timestamp{Time: a.Event.ReceivedAt.UTC()}, true
	}
	return nil, false
}

// lowerHeaders joins the values of a repeated header as HTTP does.
func (a *Activation) lowerHeaders() map[string]string {
	if a.headers == nil {
		a.headers = make(map[string]string, len(a.request.Header))
		for name, values := range a.request.Header {
			a.headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	return a.headers
}

func (a *Activation) parsedQuery() any {
	if a.query == nil {
		query, err := url.ParseQuery(a.request.RawQuery)
		if err != nil {
			return a.fails(ErrQuery) // the library's error quotes the query
		}
		a.query = query
	}
	return map[string][]string(a.query)
}

func (a *Activation) parsedBody() any {
	value, err := a.request.Body.Value()
	switch {
	case err != nil:
		return a.fails(err)
	case value == nil:
		return types.NullValue
	}
	return value
}

// parsedForm is empty for a body that is no form, so that an expression can ask
// for a field of bodies of both kinds.
func (a *Activation) parsedForm() any {
	form, err := a.request.Body.Form()
	if err != nil && !errors.Is(err, body.ErrNotForm) {
		return a.fails(err)
	}
	return map[string][]string(form)
}

func (a *Activation) bodySHA256() types.String {
	if a.digest == "" {
		sum := a.request.Body.SHA256()
		a.digest = types.String(hex.EncodeToString(sum[:]))
	}
	return a.digest
}

// fails is the value of a variable that cannot be read.
func (a *Activation) fails(err error) any {
	a.unread = err
	return types.WrapErr(err)
}
