// Package tracingtest is a collector of traces for tests: a real HTTP server
// that decodes OTLP.
//
// Tests import it; nothing else does.
package tracingtest

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one span as it was exported.
type Span struct {
	Name, Kind              string
	TraceID, SpanID, Parent string
	// Failure is the status' message; empty for spans that are no errors.
	Failure string
	// Attributes are those of the span, Resource those of the process, as text.
	Attributes map[string]string
	Resource   map[string]string
	Nanos      uint64
}

// Collector keeps what it is sent.
type Collector struct {
	*httptest.Server
	mu     sync.Mutex
	spans  []Span
	header http.Header
}

// Start starts a collector that ends with the test.
func Start(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.take(r); err != nil {
			t.Errorf("collector: %v", err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *Collector) take(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	var request collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &request); err != nil {
		return fmt.Errorf("%s is no OTLP: %w", r.URL, err)
	}
	if r.URL.Path != "/v1/traces" {
		return fmt.Errorf("unexpected path %s", r.URL.Path)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.header = r.Header
	for _, resource := range request.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			for _, one := range scope.GetSpans() {
				c.spans = append(c.spans, decode(resource, one))
			}
		}
	}
	return nil
}

func decode(resource *tracepb.ResourceSpans, one *tracepb.Span) Span {
	span := Span{
		Name: one.GetName(), Kind: one.GetKind().String(),
		TraceID: hex.EncodeToString(one.GetTraceId()),
		SpanID:  hex.EncodeToString(one.GetSpanId()),
		Parent:  hex.EncodeToString(one.GetParentSpanId()),
		Nanos:   one.GetEndTimeUnixNano() - one.GetStartTimeUnixNano(),

		Attributes: map[string]string{}, Resource: map[string]string{},
	}
	if one.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		span.Failure = one.GetStatus().GetMessage()
	}
	for _, attribute := range one.GetAttributes() {
		span.Attributes[attribute.GetKey()] = text(attribute.GetValue())
	}
	for _, attribute := range resource.GetResource().GetAttributes() {
		span.Resource[attribute.GetKey()] = text(attribute.GetValue())
	}
	return span
}

func text(value *commonpb.AnyValue) string {
	switch value := value.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return value.StringValue
	case *commonpb.AnyValue_IntValue:
		return strconv.FormatInt(value.IntValue, 10)
	case *commonpb.AnyValue_BoolValue:
		return strconv.FormatBool(value.BoolValue)
	default:
		return fmt.Sprint(value)
	}
}

// Spans are all spans so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span{}, c.spans...)
}

// Header is that of the last export.
func (c *Collector) Header() http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header.Clone()
}
