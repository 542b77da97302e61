package verify_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/postern-dev/postern/receiver/verify"
)

// TestEventsAndSetUpAreToldApart: a set-up request is answered, signed or not;
// what only resembles one is an event, if it is signed, or refused.
func TestEventsAndSetUpAreToldApart(t *testing.T) {
	t.Parallel()
	hexOf := func(body string) string { return hex.EncodeToString(mac(sha256.New, "k", body)) }
	base64Of := func(body string) string { return base64.StdEncoding.EncodeToString(mac(sha256.New, "k", body)) }
	slack := func(body string) *verify.Request {
		signature := "v0=" + hexOf("v0:1758600000:"+body)
		return post(body, "Content-Type", formType, "X-Slack-Signature", signature, "X-Slack-Request-Timestamp", "1758600000")
	}
	token := issuer{algorithm: jose.HS256, key: padded("k")}.token(t, map[string]any{"aud": "u"})
	otherToken := issuer{algorithm: jose.HS256, key: padded("x")}.token(t, map[string]any{"aud": "u"})
	query := func(r *verify.Request, text string) *verify.Request { r.RawQuery = text; return r }
	const graph, ping, secret = `{"value":[{"clientState":"k"}]}`, `{"test":true}`, "X-Hook-Secret"
	awaiting := map[string]string{"awaitHandshake": "true"}
	validation := `[{"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"c"}}]`
	pinged := func(signature string) *verify.Request {
		return post(ping, "X-Event-Key", "diagnostics:ping", "X-Hub-Signature", "sha256="+signature)
	}
	grid := func(kind string) *verify.Request { return query(post(validation, "Aeg-Event-Type", kind), "code=k") }
	const event, setUp = "event", "set-up"
	for name, c := range map[string]struct {
		provider string
		options  map[string]string
		request  *verify.Request
		want     string // event, set-up, or the reason of a refusal
	}{
		"slack check":             {"slack", nil, post("ssl_check=1&token=t", "Content-Type", formType), setUp},
		"slack check, signed":     {"slack", nil, slack("token=t&ssl_check=1"), setUp},
		"slack command":           {"slack", nil, slack("command=%2Fx&ssl_check=1&token=t"), event},
		"slack command, unsigned": {"slack", nil, post("command=%2Fx&ssl_check=1", "Content-Type", formType), "signature_missing"},
		"slack no check":          {"slack", nil, post("ssl_check=0", "Content-Type", formType), "signature_missing"},
		"slack check, forged": {
			"slack", nil, with(slack("ssl_check=1"), func(r *verify.Request) { r.Body = []byte("ssl_check=1&token=t") }),
			"signature_mismatch",
		},
		"graph":                   {"microsoft-graph", nil, query(post(""), "validationToken=a%20b"), setUp},
		"sharepoint":              {"microsoft-graph", nil, query(post(""), "validationtoken=a"), setUp},
		"graph event":             {"microsoft-graph", nil, query(post(graph), "validationToken=a"), event},
		"graph twice":             {"microsoft-graph", nil, query(post(""), "validationToken=a&validationToken=b"), "signature_missing"},
		"asana":                   {"asana", awaiting, post("{}", secret, "s"), setUp},
		"asana event":             {"asana", awaiting, post("{}", secret, "s", "X-Hook-Signature", hexOf("{}")), event},
		"asana, not awaited":      {"asana", nil, post("{}", secret, "s"), "signature_missing"},
		"notion":                  {"notion", awaiting, post(`{"verification_token":"s"}`), setUp},
		"notion, signed":          {"notion", awaiting, post(`{"verification_token":"s"}`, "X-Notion-Signature", "sha256=00"), setUp},
		"notion, not awaited":     {"notion", nil, post(`{"verification_token":"s"}`), "signature_missing"},
		"notion event":            {"notion", awaiting, post(`{"verification_token":"s","type":"page.created"}`), "signature_missing"},
		"monday":                  {"monday", nil, post(`{"challenge":"c"}`), setUp},
		"monday, with its token":  {"monday", nil, post(`{"challenge":"c"}`, "Authorization", token), setUp},
		"monday, another token":   {"monday", nil, post(`{"challenge":"c"}`, "Authorization", otherToken), "signature_mismatch"},
		"monday event":            {"monday", nil, post(`{"challenge":"c","event":{}}`, "Authorization", token), event},
		"monday event, unsigned":  {"monday", nil, post(`{"challenge":"c","event":{}}`), "signature_missing"},
		"woocommerce":             {"woocommerce", nil, post("webhook_id=31", "Content-Type", formType), setUp},
		"woocommerce, more":       {"woocommerce", nil, post("webhook_id=31&a=1", "Content-Type", formType), "signature_missing"},
		"woocommerce, no number":  {"woocommerce", nil, post("webhook_id=a", "Content-Type", formType), "signature_missing"},
		"woocommerce, signed":     {"woocommerce", nil, post("webhook_id=1", "X-WC-Webhook-Signature", base64Of("webhook_id=1")), event},
		"bitbucket":               {"bitbucket", nil, post(ping, "X-Event-Key", "diagnostics:ping"), setUp},
		"bitbucket, signed":       {"bitbucket", nil, pinged(hexOf(ping)), event},
		"bitbucket, forged":       {"bitbucket", nil, pinged(hexOf("")), "signature_mismatch"},
		"bitbucket event":         {"bitbucket", nil, post(ping, "X-Event-Key", "repo:push"), "signature_missing"},
		"front, unsigned":         {"front", nil, post("{}", "X-Front-Challenge", "c"), "signature_missing"},
		"front, rule":             {"front", nil, post("{}", "X-Front-Signature", signSHA1("k", "{}")), event},
		"mandrill":                {"mandrill", nil, post("mandrill_events=%5B%5D", "Content-Type", formType), setUp},
		"mandrill event":          {"mandrill", nil, post("mandrill_events=%5B1%5D", "Content-Type", formType), "signature_missing"},
		"event grid":              {"azure-event-grid", nil, query(post(validation), "code=k"), setUp},
		"event grid, header":      {"azure-event-grid", nil, grid("SubscriptionValidation"), setUp},
		"event grid event":        {"azure-event-grid", nil, grid("Notification"), event},
		"event grid, no secret":   {"azure-event-grid", nil, post(validation), "signature_missing"},
		"intercom":                {"intercom", nil, &verify.Request{Method: http.MethodHead, Header: http.Header{}}, setUp},
		"intercom event, no sign": {"intercom", nil, post("{}"), "signature_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := endpoint{
				provider: c.provider, keys: []string{"k"}, options: c.options, url: "https://h.example/p",
			}.compile(t)
			c.request.Now = specialNow
			verdict, err := v.Verify(t.Context(), c.request)
			got := event
			switch {
			case err != nil:
				got = string(reasonOf(t, err))
			case verdict.Handshake != nil:
				got = setUp
			}
			if got != c.want {
				t.Errorf("got %s (%v), want %s", got, err, c.want)
			}
		})
	}
}

// padded is an HMAC key as HMAC itself fills it up; the library refuses short ones.
func padded(key string) []byte {
	return append([]byte(key), make([]byte, sha256.BlockSize-len(key))...)
}
