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
	"github.com/postern-dev/postern/receiver/header"
)

// sign adds the Standard Webhooks signature of the body. The sender's own
// headers of these names are replaced. The timestamp is the attempt's, so that
// a retry stays within the target's tolerance.
func sign(forwarded http.Header, key []byte, ev *event.Event, at time.Time) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, ev.ID+"."+timestamp+".")
	_, _ = mac.Write(ev.Body)
	header.Remove(forwarded, "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature")
	forwarded["Webhook-Id"] = []string{ev.ID}
	forwarded["Webhook-Timestamp"] = []string{timestamp}
	forwarded["Webhook-Signature"] = []string{"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}
}
