package verify_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

// sent is a request of a provider, but for its proof.
type sent struct {
	header map[string]string // an empty value takes a header away
	body   string
	after  time.Duration
}

// sameCase are two requests, and whether the provider documents that the
// second one is the same event.
type sameCase struct {
	name, provider, secret string
	first, second          sent
	same                   bool
	// source is the page or file that says so.
	source string
}

// secretToken is GitLab's older proof: a text that does not begin with whsec_.
const secretToken = "plain-token"

var samePairs = []sameCase{
	{
		name: "redelivery keeps the GUID", provider: "github", same: true, source: "docs.github.com best-practices-for-using-webhooks",
		first:  sent{header: map[string]string{"X-GitHub-Delivery": "g", "X-GitHub-Hook-ID": "1"}, body: `{"zen":"a"}`},
		second: sent{header: map[string]string{"X-GitHub-Delivery": "g", "X-GitHub-Hook-ID": "1"}, body: `{"zen":"a"}`, after: 48 * time.Hour},
	},
	{
		name: "two hooks share the GUID of an event", provider: "github", source: "github/docs issue 32822",
		first:  sent{header: map[string]string{"X-GitHub-Delivery": "g", "X-GitHub-Hook-ID": "1"}, body: `{"zen":"a"}`},
		second: sent{header: map[string]string{"X-GitHub-Delivery": "g", "X-GitHub-Hook-ID": "2"}, body: `{"zen":"a"}`},
	},
	{
		name: "an older server sends no hook id", provider: "github", same: true, source: "docs.github.com webhook-events-and-payloads",
		first:  sent{header: map[string]string{"X-GitHub-Delivery": "g", "X-GitHub-Hook-ID": ""}, body: `{"zen":"a"}`},
		second: sent{header: map[string]string{"X-GitHub-Delivery": "g", "X-GitHub-Hook-ID": ""}, body: `{"zen":"a"}`},
	},
	{
		name: "the key outlives a retry, the webhook's UUID does not", provider: "gitlab", secret: secretToken, same: true,
		source: "docs.gitlab.com webhooks, Delivery headers; gitlab web_hook_service.rb",
		first:  sent{header: map[string]string{"webhook-id": "", "Idempotency-Key": "k", "X-Gitlab-Webhook-UUID": "1"}, body: `{}`},
		second: sent{header: map[string]string{"webhook-id": "", "Idempotency-Key": "k", "X-Gitlab-Webhook-UUID": "2"}, body: `{}`},
	},
	{
		name: "recursive hooks share the event's UUID", provider: "gitlab", secret: secretToken,
		source: "docs.gitlab.com webhooks, Delivery headers",
		first:  sent{header: map[string]string{"webhook-id": "", "X-Gitlab-Event-UUID": "u"}, body: `{}`},
		second: sent{header: map[string]string{"webhook-id": "", "X-Gitlab-Event-UUID": "u"}, body: `{}`},
	},
	{
		name: "the second attempt", provider: "bitbucket", same: true, source: "support.atlassian.com event-payloads",
		first:  sent{header: map[string]string{"X-Request-UUID": "r", "X-Attempt-Number": "1"}, body: `{"push":{}}`},
		second: sent{header: map[string]string{"X-Request-UUID": "r", "X-Attempt-Number": "2"}, body: `{"push":{}}`},
	},
	{
		name: "two hooks of one event", provider: "bitbucket", source: "support.atlassian.com event-payloads",
		first:  sent{header: map[string]string{"X-Request-UUID": "r", "X-Hook-UUID": "1"}, body: `{"push":{}}`},
		second: sent{header: map[string]string{"X-Request-UUID": "r", "X-Hook-UUID": "2"}, body: `{"push":{}}`},
	},
	{
		name: "the same build by two webhooks", provider: "circleci", source: "circleci.com outbound-webhooks-reference",
		first:  sent{body: `{"id":"e","webhook":{"id":"1"}}`},
		second: sent{body: `{"id":"e","webhook":{"id":"2"}}`},
	},
	{
		name: "two deliveries of one webhook", provider: "heroku", source: "devcenter.heroku.com app-webhooks-schema",
		first:  sent{header: map[string]string{"Heroku-Webhook-Id": "w"}, body: `{"id":"x","webhook_metadata":{"delivery":{"id":"1"}}}`},
		second: sent{header: map[string]string{"Heroku-Webhook-Id": "w"}, body: `{"id":"x","webhook_metadata":{"delivery":{"id":"2"}}}`},
	},
	{
		name: "two attempts of one delivery", provider: "heroku", same: true, source: "devcenter.heroku.com app-webhooks-schema",
		first:  sent{body: `{"webhook_metadata":{"attempt":{"id":"1"},"delivery":{"id":"d"}}}`},
		second: sent{body: `{"webhook_metadata":{"attempt":{"id":"2"},"delivery":{"id":"d"}}}`},
	},
	{
		name: "the default format has no id", provider: "harbor", source: "goharbor/harbor notifier/formats",
		first:  sent{body: `{"type":"PUSH_ARTIFACT","occur_at":1790000000}`},
		second: sent{body: `{"type":"PUSH_ARTIFACT","occur_at":1790000000}`},
	},
	{
		name: "a retried job of the CloudEvents format", provider: "harbor", same: true, source: "goharbor/harbor formats/cloudevents.go",
		first:  sent{body: `{"id":"1","source":"/p/1","type":"harbor.artifact.pushed"}`},
		second: sent{body: `{"id":"1","source":"/p/1","type":"harbor.artifact.pushed"}`, after: time.Minute},
	},
	{
		name: "a retry is signed anew", provider: "slack", same: true, source: "docs.slack.dev events-api",
		first:  sent{body: `{"event_id":"Ev1","api_app_id":"A"}`},
		second: sent{body: `{"event_id":"Ev1","api_app_id":"A"}`, after: 5 * time.Minute},
	},
	{
		name: "a command has no event id, and is given twice", provider: "slack", source: "docs.slack.dev slash-commands",
		first:  sent{body: `command=%2Fdeploy&text=web`},
		second: sent{body: `command=%2Fdeploy&text=web`, after: time.Second},
	},
	{
		name: "the same second and body", provider: "zoom", same: true, source: "developers.zoom.us webhooks",
		first:  sent{body: `{"event":"meeting.started","event_ts":1}`},
		second: sent{body: `{"event":"meeting.started","event_ts":1}`},
	},
	{
		name: "the same body a second later", provider: "zoom", source: "developers.zoom.us webhooks",
		first:  sent{body: `{"event":"meeting.started"}`},
		second: sent{body: `{"event":"meeting.started"}`, after: time.Second},
	},
	{
		name: "no id is documented", provider: "meta", source: "developers.facebook.com getting-started",
		first:  sent{body: `{"object":"page","entry":[{"id":"1","time":1}]}`},
		second: sent{body: `{"object":"page","entry":[{"id":"1","time":1}]}`},
	},
	{
		name: "two batches begin with the same event", provider: "line", source: "line-openapi webhook.yml",
		first:  sent{body: `{"events":[{"webhookEventId":"1"}]}`},
		second: sent{body: `{"events":[{"webhookEventId":"1"},{"webhookEventId":"2"}]}`},
	},
	{
		name: "the only event is sent again and says so", provider: "line", same: true, source: "line-openapi webhook.yml",
		first:  sent{body: `{"events":[{"webhookEventId":"1","deliveryContext":{"isRedelivery":false}}]}`},
		second: sent{body: `{"events":[{"webhookEventId":"1","deliveryContext":{"isRedelivery":true}}]}`, after: time.Minute},
	},
	{
		name: "one batch, sent twice", provider: "line", source: "line-openapi webhook.yml",
		first:  sent{body: `{"events":[{"webhookEventId":"1"},{"webhookEventId":"2"}]}`},
		second: sent{body: `{"events":[{"webhookEventId":"1"},{"webhookEventId":"2"}]}`},
	},
	{
		name: "an update is repeated", provider: "telegram", same: true, source: "core.telegram.org/bots/api#update",
		first:  sent{body: `{"update_id":7,"message":{}}`},
		second: sent{body: `{"update_id":7,"message":{}}`, after: time.Hour},
	},
	{
		name: "the attempt is counted in the body", provider: "intercom", same: true, source: "developers.intercom.com webhook-models",
		first:  sent{body: `{"id":"notif_1","topic":"user.created","delivery_attempts":1}`},
		second: sent{body: `{"id":"notif_1","topic":"user.created","delivery_attempts":2}`, after: time.Minute},
	},
	{
		name: "two pings without an id", provider: "intercom", source: "developers.intercom.com webhook-models",
		first:  sent{body: `{"id":null,"topic":"ping"}`},
		second: sent{body: `{"id":null,"topic":"ping"}`},
	},
	{
		name: "two webhooks of one invocation id", provider: "zendesk", source: "developer.zendesk.com webhooks",
		first: sent{header: map[string]string{"X-Zendesk-Webhook-Invocation-Id": "i", "X-Zendesk-Webhook-Id": "1"}, body: `{"type":"t"}`},
		second: sent{header: map[string]string{"X-Zendesk-Webhook-Invocation-Id": "i", "X-Zendesk-Webhook-Id": "2"}, body: `{"type":"t"}`,
			after: time.Second},
	},
	{
		name: "ids are unique in a conversation only", provider: "microsoft-teams", source: "learn.microsoft.com activity object",
		first:  sent{body: `{"type":"message","id":"1485983408511"}`},
		second: sent{body: `{"type":"message","id":"1485983408511"}`},
	},
	{
		name: "two subscriptions to one event", provider: "pagerduty", source: "developer.pagerduty.com webhooks-behavior",
		first:  sent{header: map[string]string{"X-Webhook-Id": "1"}, body: `{"event":{"id":"e"}}`},
		second: sent{header: map[string]string{"X-Webhook-Id": "2"}, body: `{"event":{"id":"e"}}`},
	},
	{
		name: "the next attempt", provider: "pagerduty", same: true, source: "developer.pagerduty.com webhooks-behavior",
		first:  sent{header: map[string]string{"X-Webhook-Id": "1"}, body: `{"event":{"id":"e"}}`},
		second: sent{header: map[string]string{"X-Webhook-Id": "1"}, body: `{"event":{"id":"e"}}`, after: time.Hour},
	},
	{
		name: "the request id names an attempt", provider: "sentry", source: "getsentry/sentry app_platform_event.py",
		first:  sent{header: map[string]string{"Request-ID": "1"}, body: `{"action":"created"}`},
		second: sent{header: map[string]string{"Request-ID": "1"}, body: `{"action":"created"}`},
	},
	{
		name: "an alert repeated without a time", provider: "grafana", source: "grafana/alerting http/hmac.go",
		first:  sent{body: `{"status":"firing"}`},
		second: sent{body: `{"status":"firing"}`, after: 4 * time.Hour},
	},
	{
		name: "two hooks of one delivery", provider: "okta", source: "developer.okta.com event-hooks",
		first:  sent{body: `{"eventId":"e","source":"https://o/api/v1/eventHooks/1"}`},
		second: sent{body: `{"eventId":"e","source":"https://o/api/v1/eventHooks/2"}`},
	},
	{
		name: "the change of a resource, twice", provider: "microsoft-graph", source: "learn.microsoft.com change-notifications",
		first:  sent{body: `{"value":[{"clientState":"example-secret-1","subscriptionId":"s","changeType":"updated"}]}`},
		second: sent{body: `{"value":[{"clientState":"example-secret-1","subscriptionId":"s","changeType":"updated"}]}`},
	},
	{
		name: "a renewed channel counts anew", provider: "google-channel", source: "developers.google.com drive push",
		first: sent{header: map[string]string{
			"X-Goog-Channel-ID": "c", "X-Goog-Message-Number": "1", "X-Goog-Channel-Expiration": "Tue, 01 Dec 2026 01:00:00 GMT"}},
		second: sent{header: map[string]string{
			"X-Goog-Channel-ID": "c", "X-Goog-Message-Number": "1", "X-Goog-Channel-Expiration": "Tue, 08 Dec 2026 01:00:00 GMT"}},
	},
	{
		name: "one id from two sources", provider: "cloudevents", source: "cloudevents/spec spec.md#id",
		first:  sent{header: map[string]string{"ce-id": "1", "ce-source": "/a"}, body: `{}`},
		second: sent{header: map[string]string{"ce-id": "1", "ce-source": "/b"}, body: `{}`},
	},
	{
		name: "one id from two sources in the body", provider: "cloudevents", source: "cloudevents/spec spec.md#id",
		first:  sent{header: map[string]string{"ce-id": ""}, body: `{"id":"1","source":"/a"}`},
		second: sent{header: map[string]string{"ce-id": ""}, body: `{"id":"1","source":"/b"}`},
	},
	{
		name: "a batch has no id of its own", provider: "cloudevents", source: "cloudevents/spec http-protocol-binding.md",
		first:  sent{header: map[string]string{"ce-id": ""}, body: `[{"id":"1","source":"/a"}]`},
		second: sent{header: map[string]string{"ce-id": ""}, body: `[{"id":"1","source":"/a"}]`},
	},
	{
		name: "a retry says how often", provider: "jira", same: true, source: "developer.atlassian.com jira webhooks",
		first: sent{header: map[string]string{"X-Atlassian-Webhook-Identifier": "i"}, body: `{"webhookEvent":"e"}`},
		second: sent{header: map[string]string{"X-Atlassian-Webhook-Identifier": "i", "X-Atlassian-Webhook-Retry": "2"},
			body: `{"webhookEvent":"e"}`},
	},
	{
		name: "the attempt is counted in the body", provider: "notion", same: true, source: "developers.notion.com webhooks-events-delivery",
		first:  sent{body: `{"id":"e","subscription_id":"s","attempt_number":1}`},
		second: sent{body: `{"id":"e","subscription_id":"s","attempt_number":2}`, after: time.Hour},
	},
	{
		name: "two subscriptions to one event", provider: "notion", source: "developers.notion.com webhooks-events-delivery",
		first:  sent{body: `{"id":"e","subscription_id":"1"}`},
		second: sent{body: `{"id":"e","subscription_id":"2"}`},
	},
	{
		name: "one action, watched on a board and on its card", provider: "trello", source: "developer.atlassian.com trello webhooks",
		first:  sent{body: `{"action":{"id":"a"},"model":{"id":"board"}}`},
		second: sent{body: `{"action":{"id":"a"},"model":{"id":"card"}}`},
	},
	{
		name: "a folder renamed twice", provider: "clickup", source: "developer.clickup.com webhookfolderpayloads",
		first:  sent{body: `{"event":"folderUpdated","folder_id":"1","webhook_id":"w"}`},
		second: sent{body: `{"event":"folderUpdated","folder_id":"1","webhook_id":"w"}`},
	},
	{
		name: "an account changed twice", provider: "dropbox", source: "dropbox.com developers webhooks",
		first:  sent{body: `{"list_folder":{"accounts":["dbid:A"]}}`},
		second: sent{body: `{"list_folder":{"accounts":["dbid:A"]}}`},
	},
	{
		name: "two heartbeats", provider: "asana", source: "developers.asana.com webhooks-guide",
		first:  sent{body: `{"events":[]}`},
		second: sent{body: `{"events":[]}`},
	},
	{
		name: "a retry changes the header's id and keeps the body's", provider: "box", same: true, source: "developer.box.com webhooks/v2",
		first:  sent{header: map[string]string{"Box-Delivery-Id": "1"}, body: `{"id":"e","webhook":{"id":"w"}}`},
		second: sent{header: map[string]string{"Box-Delivery-Id": "2"}, body: `{"id":"e","webhook":{"id":"w"}}`, after: time.Minute},
	},
	{
		name: "a partial response, then the whole one", provider: "typeform", source: "typeform.com developers webhooks",
		first:  sent{body: `{"event_id":"e","event_type":"form_response_partial","form_response":{"token":"t"}}`},
		second: sent{body: `{"event_id":"e","event_type":"form_response","form_response":{"token":"t"}}`},
	},
	{
		name: "the third attempt", provider: "nylas", same: true, source: "developer.nylas.com handle-duplicate-webhooks",
		first:  sent{body: `{"id":"e","source":"/s","type":"message.created","webhook_delivery_attempt":1}`},
		second: sent{body: `{"id":"e","source":"/s","type":"message.created","webhook_delivery_attempt":3}`, after: time.Minute},
	},
}

func TestWhatProvidersTakeForTheSameEvent(t *testing.T) {
	t.Parallel()
	for _, c := range samePairs {
		t.Run(c.provider+": "+c.name, func(t *testing.T) {
			t.Parallel()
			p, _ := verify.Lookup(c.provider)
			if c.source == "" || len(p.Sources) == 0 {
				t.Error("the fact needs a source, here and in the preset")
			}
			if c.secret == "" {
				c.secret = secretOf(p, '1')
			}
			first, second := c.send(t, c.first), c.send(t, c.second)
			if got := oneEvent(t, &c, first, second); got != c.same {
				t.Errorf("the same event: %t, want %t", got, c.same)
			}
		})
	}
}

// send builds and signs a request.
func (c *sameCase) send(t *testing.T, s sent) *verify.Request {
	t.Helper()
	event := sign.Event{
		Provider: c.provider, Secret: []byte(c.secret), Now: signedAt.Add(s.after), ID: "0123456789", Body: []byte(s.body),
	}
	r, err := sign.Build(event)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range s.header {
		if value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	if bytes.HasPrefix(r.Body, []byte("command=")) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return &verify.Request{Method: r.Method, RawQuery: r.RawQuery, Header: r.Header, Body: r.Body, Now: event.Now}
}

// oneEvent decides as the receiver does with the marks of an event.
func oneEvent(t *testing.T, c *sameCase, first, second *verify.Request) bool {
	t.Helper()
	v := compile(t, c.provider, 0, c.secret)
	judged := func(r *verify.Request) verify.Same {
		verdict, err := v.Verify(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return verdict.Same
	}
	a, b := judged(first), judged(second)
	switch {
	case a.By != b.By || a.By == verify.IdentityNone:
		return false
	case a.By == verify.IdentityID:
		return a.Key == b.Key || a.Signed != "" && a.Signed == b.Signed
	default:
		return a.SignedTime == b.SignedTime && first.Method == second.Method && first.RawQuery == second.RawQuery &&
			bytes.Equal(first.Body, second.Body)
	}
}
