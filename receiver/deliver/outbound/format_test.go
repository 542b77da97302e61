package outbound_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"testing"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/route"
)

func cloudEvents(target *route.Target) { target.Format = route.FormatCloudEvents }

func TestCloudEventsBinaryMode(t *testing.T) {
	t.Parallel()
	ev := sample()
	ev.Header["Ce-Id"] = []string{"forged"}
	ev.Header["Ce-Subject"] = []string{"forged"}
	header := build(t, ev, outbound.Try{Number: 1}, cloudEvents).Header
	for name, want := range map[string]string{
		"Ce-Specversion": "1.0",
		"Ce-Id":          sampleID,
		"Ce-Source":      "/ci/github",
		"Ce-Type":        "dev.postern.github.push",
		"Ce-Time":        "2026-03-01T12:00:00.123456789Z",
		"Ce-Subject":     "",
		"Content-Type":   "application/json",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestCloudEventsWithoutOrWithOddType(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"":        "dev.postern.github",
		"a b\"é%": "dev.postern.github.a%20b%22%C3%A9%25",
	} {
		ev := sample()
		ev.Type = kind
		if got := build(t, ev, outbound.Try{Number: 1}, cloudEvents).Header.Get("Ce-Type"); got != want {
			t.Errorf("type %q: ce-type is %q, want %q", kind, got, want)
		}
	}
}

func TestSignsAsStandardWebhooks(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef0123456789abcdef")
	for name, secret := range map[string]string{
		"raw":     string(key),
		"encoded": "whsec_" + base64.StdEncoding.EncodeToString(key),
		"newline": "whsec_" + base64.StdEncoding.EncodeToString(key) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ev := sample()
			ev.Header["Webhook-Signature"] = []string{"v1,sender"}
			header := build(t, ev, outbound.Try{Number: 2, At: attemptedAt}, func(target *route.Target) {
				target.SigningKey = route.SecretBytes(secret)
			}).Header
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(sampleID + ".1772366405." + string(ev.Body)))
			want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
			if got := header.Values("Webhook-Signature"); len(got) != 1 || got[0] != want {
				t.Errorf("signature is %v, want %s", got, want)
			}
			if header.Get("Webhook-Id") != sampleID || header.Get("Webhook-Timestamp") != "1772366405" {
				t.Errorf("headers are %v", header)
			}
		})
	}
}

func TestSignsWithUndecodableSecretAsItIs(t *testing.T) {
	t.Parallel()
	request := build(t, sample(), outbound.Try{Number: 1, At: attemptedAt}, func(target *route.Target) {
		target.SigningKey = route.SecretBytes("whsec_not base64!")
	})
	mac := hmac.New(sha256.New, []byte("whsec_not base64!"))
	mac.Write([]byte(sampleID + ".1772366405." + string(sample().Body)))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); request.Header.Get("Webhook-Signature") != want {
		t.Errorf("signature is %s, want %s", request.Header.Get("Webhook-Signature"), want)
	}
}
