package outbound_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
)

const (
	senderTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	senderSpan  = "00f067aa0ba902b7"
)

func TestTraceIsContinuedOrBegun(t *testing.T) {
	t.Parallel()
	begun := "00-" + sampleID + "-0102030405060708-00"
	for parent, want := range map[string]string{
		"00-" + senderTrace + "-" + senderSpan + "-01":       "00-" + senderTrace + "-0102030405060708-01",
		"00-" + senderTrace + "-" + senderSpan + "-00":       "00-" + senderTrace + "-0102030405060708-00",
		"cc-" + senderTrace + "-" + senderSpan + "-01-later": "00-" + senderTrace + "-0102030405060708-01",

		"": begun,
		"00-" + senderTrace + "-" + senderSpan + "-01-later":            begun,
		"00-" + senderTrace + "-" + senderSpan + "-01-":                 begun,
		"ff-" + senderTrace + "-" + senderSpan + "-01":                  begun,
		"00-" + strings.ToUpper(senderTrace) + "-" + senderSpan + "-01": begun,
		"00-" + strings.Repeat("0", 32) + "-" + senderSpan + "-01":      begun,
		"00-" + senderTrace + "-" + strings.Repeat("0", 16) + "-01":     begun,
		"00-" + senderTrace[1:] + "-" + senderSpan + "-01":              begun,
		"00-" + senderTrace + "-" + senderSpan + "-1":                   begun,
		"00-" + senderTrace + "-" + senderSpan:                          begun,
		"garbage":                                                       begun,
	} {
		ev := sample()
		ev.TraceParent = parent
		ev.Header["Traceparent"] = []string{"forged"}
		ev.Header["Tracestate"] = []string{"vendor=1"}
		header := build(t, ev, outbound.Try{Number: 1, SpanID: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}}, nil).Header
		if got := header.Get("Traceparent"); got != want {
			t.Errorf("%q: traceparent is %q, want %q", parent, got, want)
		}
		if got, continued := header.Get("Tracestate"), want != begun; (got == "vendor=1") != continued {
			t.Errorf("%q: tracestate is %q, continued %v", parent, got, continued)
		}
	}
}

func TestTraceIsLeftOutWithoutAnID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", "not-hex", strings.Repeat("0", 32)} {
		ev := sample()
		ev.ID = id
		if got, ok := build(t, ev, outbound.Try{Number: 1}, nil).Header["Traceparent"]; ok {
			t.Errorf("event id %q: traceparent is %v", id, got)
		}
	}
}

func FuzzTraceParent(f *testing.F) {
	f.Add("00-" + senderTrace + "-" + senderSpan + "-01")
	f.Fuzz(func(t *testing.T, parent string) {
		ev := sample()
		ev.TraceParent = parent
		got := build(t, ev, outbound.Try{Number: 1, SpanID: [8]byte{1}}, nil).Header.Get("Traceparent")
		if len(got) != 55 || strings.Trim(got, "0123456789abcdef-") != "" {
			t.Errorf("%q: traceparent is %q", parent, got)
		}
	})
}
