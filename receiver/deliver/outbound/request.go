package outbound

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/route"
)

// Try is what an attempt adds to its event.
type Try struct {
	// Number counts from 1.
	Number int
	// At is when the attempt is made; a signature carries it.
	At time.Time
	// Replay marks a delivery that a person asked for again.
	Replay bool
	// Relayed keeps Accept-Encoding, because the answer goes to the sender.
	Relayed bool
	// SpanID is the parent of what the target does.
	SpanID [8]byte
}

// Build makes the request of one attempt: the original method, query, headers
// and body bytes, what Postern adds, and nothing that a sender could forge of
// it. The event is not changed.
func Build(ctx context.Context, destination *Destination, ev *event.Event, try Try) *http.Request {
	header := forwardedHeader(ev.Header, try.Relayed)
	setPosternHeaders(header, ev, try)
	setTrace(header, ev, try)
	if destination.format == route.FormatCloudEvents {
		setCloudEvent(header, ev)
	}
	if len(destination.signingKey) > 0 {
		sign(header, destination.signingKey, ev, try.At)
	}
	location := destination.base
	location.RawQuery = ev.RawQuery
	request := &http.Request{
		Method:        ev.Method,
		URL:           &location,
		Host:          destination.host,
		Header:        header,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		ContentLength: int64(len(ev.Body)),
		Body:          http.NoBody,
	}
	if len(ev.Body) > 0 {
		request.Body = io.NopCloser(bytes.NewReader(ev.Body))
		request.GetBody = func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(ev.Body)), nil
		}
	}
	return request.WithContext(ctx)
}

func setPosternHeaders(header http.Header, ev *event.Event, try Try) {
	header["Postern-Event-Id"] = []string{ev.ID}
	header["Postern-Endpoint"] = []string{ev.Namespace + "/" + ev.Endpoint}
	header["Postern-Source"] = []string{ev.Source}
	if ev.Type != "" {
		header["Postern-Event-Type"] = []string{headerValue(ev.Type)}
	}
	header["Postern-Attempt"] = []string{strconv.Itoa(try.Number)}
	header["Postern-Received-At"] = []string{ev.ReceivedAt.UTC().Format(time.RFC3339Nano)}
	header["Postern-Verified"] = []string{strconv.FormatBool(ev.Verified)}
	if try.Replay {
		header["Postern-Replay"] = []string{"true"}
	}
}

// headerValue percent-encodes what a header value cannot carry as such. Event
// types come out of request bodies and may hold anything.
func headerValue(text string) string {
	const hexDigits = "0123456789ABCDEF"
	var out []byte
	for i := range len(text) {
		c := text[i]
		plain := c > ' ' && c < 0x7f && c != '"' && c != '%'
		if plain {
			if out != nil {
				out = append(out, c)
			}
			continue
		}
		if out == nil {
			out = append(make([]byte, 0, len(text)+8), text[:i]...)
		}
		out = append(out, '%', hexDigits[c>>4], hexDigits[c&0xf])
	}
	if out == nil {
		return text
	}
	return string(out)
}
