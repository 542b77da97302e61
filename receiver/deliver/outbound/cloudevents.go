package outbound

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/event"
)

// setCloudEvent adds the CloudEvents 1.0 attributes in HTTP binary mode: the
// body stays as it is and Content-Type is its datacontenttype. Attributes that
// the sender set are removed, because they would mix two events into one.
func setCloudEvent(header http.Header, ev *event.Event) {
	maps.DeleteFunc(header, func(name string, _ []string) bool {
		return strings.HasPrefix(strings.ToLower(name), "ce-")
	})
	kind := "dev.postern." + ev.Source
	if ev.Type != "" {
		kind += "." + ev.Type
	}
	header["Ce-Specversion"] = []string{"1.0"}
	header["Ce-Id"] = []string{headerValue(ev.ID)}
	header["Ce-Source"] = []string{"/" + headerValue(ev.Namespace) + "/" + headerValue(ev.Endpoint)}
	header["Ce-Type"] = []string{headerValue(kind)}
	header["Ce-Time"] = []string{ev.ReceivedAt.UTC().Format(time.RFC3339Nano)}
}
