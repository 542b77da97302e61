package expr

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/interpreter"
)

// maxBodyValues bounds the values of a body that is parsed: a value takes tens
// of bytes of memory, a few bytes of JSON.
const maxBodyValues = 500_000

// Errors of the variable body.
var (
	// ErrNotJSON means that an expression looked into a body that is not JSON.
	ErrNotJSON = errors.New("body is not JSON")
	// ErrBodyTooComplex means that the body has too many values to be looked into.
	ErrBodyTooComplex = fmt.Errorf("body has more than %d values", maxBodyValues)
)

// Event is the variable event.
type Event struct {
	ID         string
	Type       string
	Source     string
	ReceivedAt time.Time
}

// Activation is what expressions see of one event. Every program that is
// evaluated for the event takes the same one: headers are converted and the body
// is parsed when the first of them asks, and never twice. It is not safe for
// concurrent use, and neither header nor body may change while it is used.
type Activation struct {
	// Event may be changed between evaluations.
	Event Event

	header http.Header
	body   []byte

	headers   map[string]string
	parsed    bool
	value     any
	bodyError error
}

var _ interpreter.Activation = (*Activation)(nil)

// NewActivation returns the activation of one event.
func NewActivation(event Event, header http.Header, body []byte) *Activation {
	return &Activation{Event: event, header: header, body: body}
}

// Parent returns nil: there is no outer scope.
func (*Activation) Parent() interpreter.Activation { return nil }

// ResolveName returns the value of a variable.
func (a *Activation) ResolveName(name string) (any, bool) {
	switch name {
	case varEventID:
		return types.String(a.Event.ID), true
	case varEventType:
		return types.String(a.Event.Type), true
	case varEventSource:
		return types.String(a.Event.Source), true
	case varEventReceivedAt:
		return types.Timestamp{Time: a.Event.ReceivedAt.UTC()}, true
	case varHeaders:
		return a.lowerHeaders(), true
	case varBody:
		return a.parsedBody(), true
	}
	return nil, false
}

// lowerHeaders joins the values of a repeated header as HTTP does.
func (a *Activation) lowerHeaders() map[string]string {
	if a.headers == nil {
		a.headers = make(map[string]string, len(a.header))
		for name, values := range a.header {
			a.headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
	}
	return a.headers
}

func (a *Activation) parsedBody() any {
	if !a.parsed {
		a.parsed = true
		a.value, a.bodyError = parse(a.body)
	}
	if a.bodyError != nil {
		return types.WrapErr(a.bodyError)
	}
	return a.value
}

func parse(body []byte) (any, error) {
	if bytes.Count(body, []byte{','})+bytes.Count(body, []byte{'['})+bytes.Count(body, []byte{'{'}) > maxBodyValues {
		return nil, ErrBodyTooComplex
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, ErrNotJSON
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, ErrNotJSON
	}
	return withNumbers(value), nil
}

// withNumbers replaces the texts of numbers: whole numbers stay exact, because
// ids of 64 bits are common and a float would merge neighbours.
func withNumbers(value any) any {
	switch v := value.(type) {
	case json.Number:
		return number(string(v))
	case []any:
		for i := range v {
			v[i] = withNumbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = withNumbers(v[key])
		}
	case nil:
		return types.NullValue
	}
	return value
}

func number(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return text
	}
	return f
}
