package outbound

import (
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/header"
)

// setCloudEvent adds the CloudEvents 1.0 attributes in HTTP binary mode: the
// body stays as it is and Content-Type is its datacontenttype. Attributes that
// the sender set are removed, because they would mix two events into one.
func setCloudEvent(forwarded http.Header, ev *event.Event) {
	header.Remove(forwarded, "Ce-")
	kind := "dev.postern." + ev.Source
	if ev.Type != "" {
		kind += "." + ev.Type
	}
	forwarded["Ce-Specversion"] = []string{"1.0"}
	forwarded["Ce-Id"] = []string{headerValue(ev.ID)}
	forwarded["Ce-Source"] = []string{"/" + headerValue(ev.Namespace) + "/" + headerValue(ev.Endpoint)}
	forwarded["Ce-Type"] = []string{headerValue(kind)}
	forwarded["Ce-Time"] = []string{ev.ReceivedAt.UTC().Format(time.RFC3339Nano)}
}
