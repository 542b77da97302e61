package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

// sameEvent is true when an event that was accepted makes the second request a
// duplicate of it.
func sameEvent(a, b *verify.Request, first, second verify.Same) bool {
	if first.By != second.By {
		return false
	}
	switch first.By {
	case verify.IdentityID:
		return first.Key == second.Key || first.Signed != "" && first.Signed == second.Signed
	case verify.IdentityRequest:
		return first.SignedTime == second.SignedTime && a.Method == b.Method && a.RawQuery == b.RawQuery &&
			string(a.Body) == string(b.Body)
	}
	return false
}

// pairOf are two requests of one endpoint, and whether they are one event.
type pairOf struct {
	name, fact    string
	endpoint      endpoint
	first, second *verify.Request
	same          bool
}

// builtBy builds a request with that body, then adds headers that the provider does not sign.
func builtBy(t *testing.T, e endpoint, body string, at time.Time, headers ...string) *verify.Request {
	t.Helper()
	event := sign.Event{Provider: e.provider, Options: e.options, URL: e.url, Body: []byte(body), Now: at, ID: "id-0"}
	if len(e.keys) > 0 {
		event.Secret = []byte(e.keys[0])
	}
	built, err := sign.Build(event)
	if err != nil {
		t.Fatalf("%s: %v", e.provider, err)
	}
	for i := 0; i < len(headers); i += 2 {
		built.Header.Set(headers[i], headers[i+1])
	}
	return &verify.Request{
		Method: built.Method, RawQuery: built.RawQuery, Header: built.Header, Body: built.Body, Now: specialNow,
	}
}

func TestWhatTellsEventsApart(t *testing.T) {
	t.Parallel()
	var all []pairOf
	for _, more := range []func(*testing.T) []pairOf{
		paymentPairs, adyenPairs, commercePairs, mailPairs, tokenPairs, specialPairs, newPairs,
	} {
		all = append(all, more(t)...)
	}
	for _, c := range all {
		t.Run(c.endpoint.provider+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			v := c.endpoint.compile(t)
			first, second := accepted(t, v, c.first), accepted(t, v, c.second)
			if got := sameEvent(c.first, c.second, first.Same, second.Same); got != c.same {
				t.Errorf("one event: %v, want %v (%s)\n%+v\n%+v", got, c.same, c.fact, first.Same, second.Same)
			}
		})
	}
}

func paymentPairs(t *testing.T) []pairOf {
	t.Helper()
	later := specialNow.Add(time.Minute)
	stripe := endpoint{provider: "stripe", keys: []string{"whsec_k"}}
	square := endpoint{provider: "square", keys: []string{"k"}, url: "https://hooks.example.com/t/square"}
	paystack := endpoint{provider: "paystack", keys: []string{"k"}}
	bolt := endpoint{provider: "bolt", keys: []string{"k"}}
	affirm := endpoint{provider: "affirm", keys: []string{"k"}}
	worldline := endpoint{provider: "worldline", keys: []string{"k"}}
	const event, other = `{"id":"evt_1","object":"event"}`, `{"id":"evt_1","object":"event","account":"acct_1"}`
	const charge = `{"event":"charge.success","data":{"id":1}}`
	const transaction = `{"id":"TA1","type":"capture","object":"transaction"}`
	return []pairOf{
		{"a retry is signed anew", "docs.stripe.com/webhooks/signature", stripe,
			builtBy(t, stripe, event, specialNow), builtBy(t, stripe, event, later), true},
		{"another account", "docs.stripe.com/connect/webhooks", stripe,
			builtBy(t, stripe, event, specialNow), builtBy(t, stripe, other, specialNow), false},
		{"another event", "docs.stripe.com/webhooks", stripe, builtBy(t, stripe, event, specialNow),
			builtBy(t, stripe, strings.Replace(event, "evt_1", "evt_2", 1), specialNow), false},
		{"another merchant", "developer.squareup.com/docs/webhooks/overview", square,
			builtBy(t, square, `{"event_id":"e","merchant_id":"A"}`, specialNow),
			builtBy(t, square, `{"event_id":"e","merchant_id":"B"}`, specialNow), false},
		{"no id at all", "paystack.com/docs/payments/webhooks", paystack,
			builtBy(t, paystack, charge, specialNow), builtBy(t, paystack, charge, specialNow), false},
		{"the id is the transaction's", "help.bolt.com/developers/webhooks", bolt,
			builtBy(t, bolt, transaction, specialNow), builtBy(t, bolt, transaction, specialNow), false},
		{"the same signed time", "docs.affirm.com/developers/docs/webhooks", affirm,
			builtBy(t, affirm, "{}", specialNow), builtBy(t, affirm, "{}", specialNow), true},
		{"another signed time", "docs.affirm.com/developers/docs/webhooks", affirm,
			builtBy(t, affirm, "{}", specialNow), builtBy(t, affirm, "{}", later), false},
		{"another merchant", "docs.connect.worldline-solutions.com, event structure", worldline,
			builtBy(t, worldline, `{"id":"1","merchantId":"A","type":"payment.created"}`, specialNow),
			builtBy(t, worldline, `{"id":"1","merchantId":"B","type":"payment.created"}`, specialNow), false},
	}
}

// adyenItem is an item of Adyen's standard webhooks, with changes to its fields.
func adyenItem(change map[string]string) string {
	fields := map[string]string{
		"pspReference": "7914073381342284", "originalReference": "", "merchantAccountCode": "Shop",
		"merchantReference": "order-1", "value": "1130", "currency": "EUR", "eventCode": "AUTHORISATION",
		"success": "true", "eventDate": "2026-01-01T10:00:00+01:00",
	}
	maps.Copy(fields, change)
	secret, _ := hex.DecodeString(adyenTestKey)
	var content []string
	for _, name := range []string{"pspReference", "originalReference", "merchantAccountCode", "merchantReference",
		"value", "currency", "eventCode", "success"} {
		content = append(content, fields[name])
	}
	signature := base64.StdEncoding.EncodeToString(mac(sha256.New, string(secret), strings.Join(content, ":")))
	var members []string
	for _, name := range []string{"pspReference", "originalReference", "merchantAccountCode", "merchantReference",
		"eventCode", "success", "eventDate"} {
		members = append(members, `"`+name+`":"`+fields[name]+`"`)
	}
	return `{"NotificationRequestItem":{` + strings.Join(members, ",") + `,"amount":{"value":` + fields["value"] +
		`,"currency":"` + fields["currency"] + `"},"additionalData":{"hmacSignature":"` + signature + `"}}}`
}

const adyenTestKey = "4142434445464748414243444546474841424344454647484142434445464748"

func adyenPairs(t *testing.T) []pairOf {
	t.Helper()
	e := endpoint{provider: "adyen", keys: []string{adyenTestKey}}
	request := func(items ...map[string]string) *verify.Request {
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i] = adyenItem(item)
		}
		return post(`{"live":"false","notificationItems":[` + strings.Join(texts, ",") + `]}`)
	}
	const fact = "docs.adyen.com handle-webhook-events; Adyen/adyen-magento2#607"
	pairs := []pairOf{{"a retry", fact, e, request(nil), request(nil), true}}
	for name, value := range map[string]string{
		"pspReference": "1", "originalReference": "1", "merchantAccountCode": "Other", "merchantReference": "2",
		"value": "1", "currency": "USD", "eventCode": "CAPTURE", "success": "false",
	} {
		pairs = append(pairs, pairOf{"another " + name, fact, e, request(nil), request(map[string]string{name: value}), false})
	}
	second, third := map[string]string{"pspReference": "2"}, map[string]string{"pspReference": "3"}
	return append(pairs,
		pairOf{"another batch that begins alike", fact, e, request(nil, second), request(nil, third), false},
		pairOf{"a batch and its first item", fact, e, request(nil), request(nil, second), false})
}

func commercePairs(t *testing.T) []pairOf {
	t.Helper()
	shopify := endpoint{provider: "shopify", keys: []string{"k"}}
	woo := endpoint{provider: "woocommerce", keys: []string{"k"}}
	big := endpoint{provider: "bigcommerce", keys: []string{"k"}}
	sanity := endpoint{provider: "sanity", keys: []string{"k"}}
	webflow := endpoint{provider: "webflow", keys: []string{"k"}}
	squarespace := endpoint{provider: "squarespace", keys: []string{"4142"}}
	shop := func(topic, webhook, name string) *verify.Request {
		return builtBy(t, shopify, `{"id":1}`, specialNow, "X-Shopify-Event-Id", "e-1", "X-Shopify-Topic", topic,
			"X-Shopify-Webhook-Id", webhook, "X-Shopify-Shop-Domain", name)
	}
	order := func(body string) *verify.Request {
		return builtBy(t, woo, body, specialNow, "X-WC-Webhook-Delivery-ID", "5c1d0b2a9f3e4d6c8b7a",
			"X-WC-Webhook-Topic", "order.updated", "X-WC-Webhook-ID", "31")
	}
	product := func(id string) *verify.Request {
		e := sign.Event{Provider: "bigcommerce", Secret: []byte("k"), ID: id, Now: specialNow,
			Body: []byte(`{"scope":"store/product/updated","hash":"352e4afc","created_at":1561482670,"data":{"id":1}}`)}
		built, err := sign.Build(e)
		if err != nil {
			t.Fatal(err)
		}
		return &verify.Request{Method: built.Method, Header: built.Header, Body: built.Body, Now: specialNow}
	}
	document := func(id string, at time.Time) *verify.Request {
		return builtBy(t, sanity, `{"_id":"`+id+`"}`, at, "idempotency-key", "key-1", "sanity-document-id", id)
	}
	const duplicates = "shopify.dev ignore-duplicates; nozzlegear/ShopifySharp#919"
	const php = "woocommerce class-wc-webhook.php get_new_delivery_id: a hash of webhook and second"
	return []pairOf{
		{"a retry", "shopify.dev changelog updates-to-webhook-retry-mechanism", shopify,
			shop("products/update", "w-1", "a"), shop("products/update", "w-1", "a"), true},
		{"two topics of one event", duplicates, shopify,
			shop("products/update", "w-1", "a"), shop("inventory_levels/update", "w-1", "a"), false},
		{"two subscriptions to one topic", duplicates, shopify,
			shop("products/update", "w-1", "a"), shop("products/update", "w-2", "a"), false},
		{"two shops", duplicates, shopify,
			shop("products/update", "w-1", "a"), shop("products/update", "w-1", "b"), false},
		{"two orders in one second", php, woo, order(`{"id":101}`), order(`{"id":102}`), false},
		{"one order twice in one second", php, woo, order(`{"id":101}`), order(`{"id":101}`), false},
		{"one hash, two messages", "BigCommerce: hash is the SHA-1 of the data", big, product("m-1"), product("m-2"), false},
		{"a retry", "standard-webhooks.md: the id is the same for each attempt", big, product("m-1"), product("m-1"), true},
		{"a retry is signed anew", "sanity.io webhook-best-practices", sanity,
			document("d-1", specialNow), document("d-1", specialNow.Add(time.Minute)), true},
		{"another document", "sanity.io webhook-best-practices", sanity,
			document("d-1", specialNow), document("d-2", specialNow), false},
		{"another signed time", "developers.webflow.com working-with-webhooks", webflow,
			builtBy(t, webflow, "{}", specialNow), builtBy(t, webflow, "{}", specialNow.Add(time.Second)), false},
		{"another subscription", "developers.squarespace.com webhooks overview", squarespace,
			builtBy(t, squarespace, `{"id":"n","subscriptionId":"a"}`, specialNow),
			builtBy(t, squarespace, `{"id":"n","subscriptionId":"b"}`, specialNow), false},
	}
}

func mailPairs(t *testing.T) []pairOf {
	t.Helper()
	mailgun := endpoint{provider: "mailgun", keys: []string{"k"}}
	postmark := endpoint{provider: "postmark", keys: []string{"user:pass"}}
	sparkpost := endpoint{provider: "sparkpost", keys: []string{"user:pass"}}
	hubspot := endpoint{provider: "hubspot", keys: []string{"k"}, url: "https://hooks.example.com/t/hubspot"}
	token := func(token, event string) *verify.Request {
		signature := hex.EncodeToString(mac(sha256.New, "k", "1758600000"+token))
		return post(`{"signature":{"timestamp":"1758600000","token":"`+token+`","signature":"`+signature+
			`"},"event-data":{"event":"`+event+`"}}`, "Content-Type", "application/json")
	}
	batch := func(id string) *verify.Request {
		return builtBy(t, sparkpost, `[{"msys":{}}]`, specialNow, "X-MessageSystems-Batch-ID", id)
	}
	bounce := builtBy(t, postmark, `{"RecordType":"Bounce","ID":1}`, specialNow)
	const securing = "documentation.mailgun.com securing-webhooks"
	return []pairOf{
		{"a retry has the same token", securing, mailgun, token("a", "opened"), token("a", "opened"), true},
		{"another token", securing, mailgun, token("a", "opened"), token("b", "opened"), false},
		{"one capture, another event", securing + ": the event is not signed", mailgun,
			token("a", "opened"), token("a", "failed"), true},
		{"no id", "postmarkapp.com webhooks-overview", postmark, bounce, bounce, false},
		{"a batch again", "developers.sparkpost.com/api/webhooks", sparkpost, batch("b-1"), batch("b-1"), true},
		{"another batch", "developers.sparkpost.com/api/webhooks", sparkpost, batch("b-1"), batch("b-2"), false},
		{"another signed time", "developers.hubspot.com request-validation", hubspot,
			builtBy(t, hubspot, `[{"eventId":1}]`, specialNow),
			builtBy(t, hubspot, `[{"eventId":1}]`, specialNow.Add(time.Second)), false},
	}
}

func tokenPairs(t *testing.T) []pairOf {
	t.Helper()
	google := newIssuer(t)
	push := endpoint{provider: "google-pubsub", options: map[string]string{
		"jwks": google.jwks, "audience": "https://hooks.example.com", "email": "push@example.com",
	}}
	bearer := "Bearer " + google.token(t, googleClaims())
	message := func(body string, headers ...string) *verify.Request {
		return post(body, append([]string{"Authorization", bearer}, headers...)...)
	}
	wrapped := func(id, subscription string) *verify.Request {
		return message(`{"message":{"messageId":"` + id + `"},"subscription":"` + subscription + `"}`)
	}
	renewed := wrapped("1", "s")
	renewed.Header.Set("Authorization", "Bearer "+google.token(t, changed(googleClaims(), "iat", specialNow.Unix()-60)))

	grid := endpoint{provider: "azure-event-grid", keys: []string{"k"}}
	delivered := func(body string, headers ...string) *verify.Request {
		request := post(body, headers...)
		request.RawQuery = "code=k"
		return request
	}
	netlify := endpoint{provider: "netlify", keys: []string{strings.Repeat("k", 32)}}
	deploy := func(event string) *verify.Request {
		return builtBy(t, netlify, `{"id":"d","state":"ready"}`, specialNow, "X-Netlify-Event", event)
	}
	const publish = "cloud.google.com PubsubMessage: messageId is unique within the topic"
	const schema = "learn.microsoft.com event-grid event-schema: id is unique within the source"
	return []pairOf{
		{"redelivered under another token", publish, push, wrapped("1", "s"), renewed, true},
		{"another subscription", publish, push, wrapped("1", "s"), wrapped("1", "t"), false},
		{"another message under one token", publish, push, wrapped("1", "s"), wrapped("2", "s"), false},
		{"unwrapped with metadata", "cloud.google.com payload-unwrapping", push,
			message(`{"tick":true}`, "X-Goog-Pubsub-Message-Id", "1"), message(`{"tick":true}`, "X-Goog-Pubsub-Message-Id", "2"), false},
		{"unwrapped without an id", "cloud.google.com payload-unwrapping", push,
			message(`{"tick":true}`), message(`{"tick":true}`), false},
		{"a retry", schema, grid, delivered(`[{"id":"1","topic":"/a"}]`), delivered(`[{"id":"1","topic":"/a"}]`), true},
		{"another topic", schema, grid, delivered(`[{"id":"1","topic":"/a"}]`), delivered(`[{"id":"1","topic":"/b"}]`), false},
		{"another source", "cloudevents spec.md", grid,
			delivered(`{"id":"1","source":"/a"}`), delivered(`{"id":"1","source":"/b"}`), false},
		{"another source in the header", "cloudevents spec.md", grid,
			delivered("{}", "Ce-Id", "1", "Ce-Source", "/a"), delivered("{}", "Ce-Id", "1", "Ce-Source", "/b"), false},
		{"another event subscription", "learn.microsoft.com event-grid receive-events", grid,
			delivered(`[{"id":"1"}]`, "Aeg-Subscription-Name", "A"), delivered(`[{"id":"1"}]`, "Aeg-Subscription-Name", "B"), false},
		{"another batch that begins alike", schema, grid,
			delivered(`[{"id":"1"},{"id":"2"}]`), delivered(`[{"id":"1"},{"id":"3"}]`), false},
		{"created, then locked", "simstudioai/sim#4518", netlify, deploy("deploy_created"), deploy("deploy_locked"), false},
		{"locked twice", "simstudioai/sim#4518", netlify, deploy("deploy_locked"), deploy("deploy_locked"), false},
	}
}

func specialPairs(t *testing.T) []pairOf {
	t.Helper()
	twilio := endpoint{provider: "twilio", keys: []string{"k"}, url: "https://hooks.example.com/t/twilio"}
	digit := func(headers ...string) *verify.Request {
		request := builtBy(t, twilio, "CallSid=CA1&Digits=1", specialNow)
		request.Header.Del("I-Twilio-Idempotency-Token")
		for i := 0; i < len(headers); i += 2 {
			request.Header.Set(headers[i], headers[i+1])
		}
		return request
	}
	contentful := endpoint{provider: "contentful", keys: []string{"k"}, url: "https://hooks.example.com/t/contentful"}
	entry := func(topic, webhook string, at time.Time) *verify.Request {
		event := sign.Event{Provider: "contentful", Secret: []byte("k"), URL: contentful.url, Now: at, Type: topic,
			Body: []byte(`{"sys":{"id":"1"}}`), ID: "key-1"}
		built, err := sign.Build(event)
		if err != nil {
			t.Fatal(err)
		}
		built.Header.Set("X-Contentful-Webhook-Name", webhook)
		return &verify.Request{Method: built.Method, Header: built.Header, Body: built.Body, Now: specialNow}
	}
	mandrill := endpoint{provider: "mandrill", keys: []string{"k"}, url: "https://hooks.example.com/t/mandrill"}
	opened := builtBy(t, mandrill, "mandrill_events=%5B%7B%22event%22%3A%22open%22%7D%5D", specialNow)
	sns := newSigner(t, "sns.amazonaws.com")
	topic := endpoint{provider: "aws-sns", options: map[string]string{"certificate": sns.certificate}}
	published := func(arn string) *verify.Request {
		fields := notification()
		fields["TopicArn"] = arn
		return snsMessage(t, sns, "2", fields)
	}
	grid, batch := sendGridPairs(t)
	const retries = "twilio-agent-connect-python: webhook retries have the token of the first request"
	const key = "contentful.com changelog idempotency-key-headers-for-webhook-requests"
	return []pairOf{
		{"a retry has the same token", retries, twilio,
			digit("I-Twilio-Idempotency-Token", "a"), digit("I-Twilio-Idempotency-Token", "a"), true},
		{"the caller presses 1 twice", retries, twilio,
			digit("I-Twilio-Idempotency-Token", "a"), digit("I-Twilio-Idempotency-Token", "b"), false},
		{"the same without a token", "bmlt-enabled/yap#1629", twilio, digit(), digit(), false},
		{"a retry is signed anew", key, contentful, entry("Entry.publish", "w", specialNow),
			entry("Entry.publish", "w", specialNow.Add(time.Second)), true},
		{"another topic", key, contentful, entry("Entry.publish", "w", specialNow),
			entry("Entry.save", "w", specialNow), false},
		{"another batch that begins alike", "twilio.com sendgrid event", grid,
			batch(`[{"sg_event_id":"1"},{"sg_event_id":"2"}]`, specialNow),
			batch(`[{"sg_event_id":"1"},{"sg_event_id":"3"}]`, specialNow), false},
		{"nothing that names a batch", "mailchimp.com track-respond-activity-webhooks", mandrill, opened, opened, false},
		{"a retry", "docs.aws.amazon.com sns-message-and-json-formats: a retry has the MessageId of the first", topic,
			published("arn:aws:sns:eu-west-1:1:a"), published("arn:aws:sns:eu-west-1:1:a"), true},
		{"another topic", "docs.aws.amazon.com sns-message-and-json-formats", topic,
			published("arn:aws:sns:eu-west-1:1:a"), published("arn:aws:sns:eu-west-1:1:b"), false},
	}
}

// sendGridPairs is an endpoint of SendGrid, and what signs its batches.
func sendGridPairs(t *testing.T) (endpoint, func(body string, at time.Time) *verify.Request) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	secret := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	e := endpoint{provider: "sendgrid", options: map[string]string{"publicKey": publicPEM(t, &private.PublicKey)}}
	return e, func(body string, at time.Time) *verify.Request {
		return builtBy(t, endpoint{provider: "sendgrid", keys: []string{secret}}, body, at)
	}
}

func newPairs(t *testing.T) []pairOf {
	t.Helper()
	lark := endpoint{provider: "lark", keys: []string{"k"}}
	event := func(id string) *verify.Request {
		return larkEvent(t, "k", `{"header":{"event_id":"`+id+`","event_type":"a.b_v1","token":"v"}}`)
	}
	alerts := endpoint{provider: "alertmanager", keys: []string{"k"}}
	alert := builtBy(t, alerts, `{"status":"firing","groupKey":"g"}`, specialNow)
	devops := endpoint{provider: "azure-devops", keys: []string{"user:pass"}}
	hook := func(notification string) *verify.Request {
		return builtBy(t, devops, `{"id":"e","subscriptionId":"s","notificationId":`+notification+`}`, specialNow)
	}
	mollie := endpoint{provider: "mollie", keys: []string{"k"}}
	classic := post("id=tr_1", "Content-Type", formType)
	classic.RawQuery = "secret=k"
	paid := builtBy(t, mollie, `{"id":"event_1","type":"payment-link.paid"}`, specialNow)
	vonage := endpoint{provider: "vonage", keys: []string{strings.Repeat("k", 32)}}
	ringing := builtBy(t, vonage, `{"status":"ringing"}`, specialNow)
	cloudinary := endpoint{provider: "cloudinary", keys: []string{"k"}}
	upload := builtBy(t, cloudinary, "{}", specialNow)
	sharepoint := endpoint{provider: "sharepoint", keys: []string{"k"}}
	changedList := &verify.Request{Method: http.MethodPost, Header: http.Header{}, Now: specialNow,
		Body: []byte(`{"value":[{"subscriptionId":"s","clientState":"k","resource":"r"}]}`)}
	const guide = "open.feishu.cn event subscription: event_id tells repeated events"
	return []pairOf{
		{"a retry, encrypted anew", guide, lark, event("1"), event("1"), true},
		{"another event", guide, lark, event("1"), event("2"), false},
		{"repeat_interval sends the same body", "alertmanager notify/webhook/webhook.go", alerts, alert, alert, false},
		{"a retry", "learn.microsoft.com hooks/notifications", devops, hook("1"), hook("1"), true},
		{"another subscription's notification", "learn.microsoft.com hooks/notifications", devops, hook("1"), hook("2"), false},
		{"a payment changes twice", "docs.mollie.com/reference/webhooks: the body is the payment's id", mollie,
			classic, classic, false},
		{"a retry", "docs.mollie.com/reference/webhooks-new", mollie, paid, paid, true},
		{"the same signed time", "developer.vonage.com decoding-signed-webhooks", vonage, ringing, ringing, true},
		{"another signed time", "developer.vonage.com decoding-signed-webhooks", vonage, ringing,
			builtBy(t, vonage, `{"status":"ringing"}`, specialNow.Add(time.Second)), false},
		{"the same signed time", "cloudinary.com/documentation/notifications", cloudinary, upload, upload, true},
		{"another signed time", "cloudinary.com/documentation/notifications", cloudinary, upload,
			builtBy(t, cloudinary, "{}", specialNow.Add(-time.Second)), false},
		{"two changes of one list", "learn.microsoft.com overview-sharepoint-webhooks", sharepoint,
			changedList, changedList, false},
	}
}
