package outbound

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/postern-dev/postern/receiver/event"
)

// sign adds the Standard Webhooks signature of the body. The sender's own
// headers of these names are replaced. The timestamp is the attempt's, so that
// a retry stays within the target's tolerance.
func sign(header http.Header, key []byte, ev *event.Event, at time.Time) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, ev.ID+"."+timestamp+".")
	_, _ = mac.Write(ev.Body)
	header["Webhook-Id"] = []string{ev.ID}
	header["Webhook-Timestamp"] = []string{timestamp}
	header["Webhook-Signature"] = []string{"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}
