package traffic

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Providers that senders can speak for.
const (
	GitHub           = "github"
	Stripe           = "stripe"
	StandardWebhooks = "standard-webhooks"
)

// message is one request to be signed.
type message struct {
	id        string
	eventType string
	body      []byte
	at        time.Time
}

// Forgeries that every provider's requests can have.
const (
	forgedKey       = "wrong key"
	forgedBody      = "tampered body"
	forgedSignature = "no signature"
	// forgedTime is for providers that sign a time.
	forgedTime = "stale timestamp"
)

// forgeries returns what can be wrong with a provider's requests.
func forgeries(provider string) []string {
	all := []string{forgedKey, forgedBody, forgedSignature}
	if provider != GitHub {
		all = append(all, forgedTime)
	}
	return all
}

// staleness is more than any tolerance.
const staleness = time.Hour

// sign returns the headers of a message, spoiled as forged says.
func sign(provider string, key []byte, m message, forged string) (http.Header, error) {
	switch forged {
	case forgedKey:
		key = append([]byte("not "), key...)
	case forgedBody:
		m.body = append([]byte("{"), m.body...)
	case forgedTime:
		m.at = m.at.Add(-staleness)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	seconds := strconv.FormatInt(m.at.Unix(), 10)
	var name, value string
	switch provider {
	case GitHub:
		header["X-Github-Delivery"], header["X-Github-Event"] = []string{m.id}, []string{m.eventType}
		name, value = "X-Hub-Signature-256", "sha256="+hex.EncodeToString(digest(key, m.body))
	case Stripe:
		signature := hex.EncodeToString(digest(key, []byte(seconds+"."), m.body))
		name, value = "Stripe-Signature", "t="+seconds+",v1="+signature
	case StandardWebhooks:
		header["Webhook-Id"], header["Webhook-Timestamp"] = []string{m.id}, []string{seconds}
		signature := digest(key, []byte(m.id+"."+seconds+"."), m.body)
		name, value = "Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(signature)
	default:
		return nil, fmt.Errorf("no sender speaks for %q; there are %s, %s and %s",
			provider, GitHub, Stripe, StandardWebhooks)
	}
	if forged != forgedSignature {
		header[name] = []string{value}
	}
	return header, nil
}

func digest(key []byte, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// SecretOf is the text that a Secret of the provider holds for a key.
func SecretOf(provider string, key []byte) []byte {
	if provider == StandardWebhooks {
		return []byte("whsec_" + base64.StdEncoding.EncodeToString(key))
	}
	return key
}
