package outbound

import (
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/postern-dev/postern/receiver/event"
)

const zeroTrace = "00000000000000000000000000000000"

// setTrace continues the sender's W3C trace, or begins one whose trace id is
// the event's id: then all attempts at all targets are one trace.
func setTrace(header http.Header, ev *event.Event, try Try) {
	trace, flags, continued := parseTraceParent(ev.TraceParent)
	if !continued {
		trace, flags = ev.ID, "00"
		if !lowerHex(trace, 32) || trace == zeroTrace {
			return
		}
	}
	span := hex.EncodeToString(try.SpanID[:])
	header["Traceparent"] = []string{"00-" + trace + "-" + span + "-" + flags}
	if state := ev.Header["Tracestate"]; continued && len(state) > 0 {
		header["Tracestate"] = state
	}
}

// parseTraceParent reads version 00 and the common part of later versions.
func parseTraceParent(value string) (trace, flags string, ok bool) {
	version, rest, _ := strings.Cut(value, "-")
	trace, rest, _ = strings.Cut(rest, "-")
	span, rest, _ := strings.Cut(rest, "-")
	flags, extra, more := strings.Cut(rest, "-")
	ok = lowerHex(version, 2) && version != "ff" && (version != "00" || (extra == "" && !more)) &&
		lowerHex(trace, 32) && trace != zeroTrace &&
		lowerHex(span, 16) && span != zeroTrace[:16] &&
		lowerHex(flags, 2)
	return trace, flags, ok
}

func lowerHex(text string, length int) bool {
	if len(text) != length {
		return false
	}
	return strings.Trim(text, "0123456789abcdef") == ""
}
