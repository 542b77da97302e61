package ingest

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/postern-dev/postern/receiver/body"
	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/table"
	"github.com/postern-dev/postern/receiver/verify"
)

// exchange is one request on its way. Each field is written by the stage named
// and only read by later ones.
type exchange struct {
	request *http.Request
	started time.Time
	// deadline is that of the body; readBody clears it.
	deadline bodyDeadline

	endpoint *table.Endpoint // open
	client   netip.Addr      // open
	holding  holding         // open; readBody and reader add to it
	turn     holding         // readBody
	body     []byte          // readBody
	reader   *body.Reader    // readBody: reads body for the later stages
	verdict  verify.Verdict  // verify
	verified bool            // verify: false only under Audit
	sender   string          // identify: the sender's trace context
	event    *event.Event    // identify
	identity identity        // identify
	facts    *table.Facts    // identify
	untyped  error           // identify: why the event's own type is not known
	targets  []string        // match
	failed   []string        // match: targets whose expression failed
	reason   Reason          // whoever refuses; verify under Audit; match if an expression failed
}

// route is nil for a path that nobody configured.
func (x *exchange) route() *route.Endpoint {
	if x.endpoint == nil {
		return nil
	}
	return x.endpoint.Route
}
