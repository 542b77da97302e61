package verify

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// presetsWork are planning, documents, forms and scheduling.
var presetsWork = []preset{
	{Preset: Preset{
		Name: "jira", DisplayName: "Jira", Aliases: []string{"jira-cloud", "atlassian-jira", "confluence"},
		DocsURL:    "https://developer.atlassian.com/cloud/jira/platform/webhooks/",
		DeliveryID: "{header:X-Atlassian-Webhook-Identifier}", EventType: "{json:webhookEvent}",
		AckLimit: 20 * time.Second, Retries: Retries{For: 2 * time.Hour}, Variants: hexBody("X-Hub-Signature", "sha256="),
		SetUp: []string{"Settings, System, WebHooks, Create. Fill in Secret and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "linear", DisplayName: "Linear", DocsURL: "https://linear.app/developers/webhooks",
		DeliveryID: "{header:Linear-Delivery}", EventType: "{json:type}.{json:action}",
		Tolerance: time.Minute, FutureTolerance: time.Minute, AckLimit: ackFive, Retries: Retries{For: 8 * time.Hour},
		Variants: linearVariants(),
		SetUp:    []string{"Settings, API, Webhooks, New webhook. Put the signing secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "notion", DisplayName: "Notion", DocsURL: "https://developers.notion.com/reference/webhooks",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true, Retries: Retries{For: day},
		OptionalOptions: []Option{optionAwait}, Variants: hexBody("X-Notion-Signature", "sha256="),
		Handshake: "the first, unsigned request brings the verification token: accepted only with awaitHandshake",
		SetUp: []string{
			"notion.so/my-integrations, your integration, Webhooks, Create a subscription: the endpoint's URL.",
			"Set the option awaitHandshake to true until the verification_token has arrived, put it into the Secret, " +
				"and paste it in Notion to verify the subscription. Then take the option away.",
		},
	}, greet: greetNotion},
	{Preset: Preset{
		Name: "asana", DisplayName: "Asana", DocsURL: "https://developers.asana.com/docs/webhooks-guide",
		AckLimit: ackTen, Retries: Retries{For: day}, EventType: "{json:events[0].resource.resource_type}.{json:events[0].action}",
		OptionalOptions: []Option{optionAwait}, Variants: hexBody("X-Hook-Signature", ""),
		Handshake: "X-Hook-Secret is echoed only with awaitHandshake, or when it is already in the Secret",
		SetUp: []string{
			"Set the option awaitHandshake to true, create the webhook with the API, put the X-Hook-Secret that " +
				"Asana sent into the Secret, and take the option away.",
		},
	}, greet: greetAsana},
	{Preset: Preset{
		Name: "trello", DisplayName: "Trello",
		DocsURL:    "https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/",
		DeliveryID: "{json:action.id}", EventType: "{json:action.type}", IDSigned: true,
		OptionalOptions: []Option{optionSignedURL}, Variants: trelloVariants(),
		Handshake: "HEAD is answered 200",
		SetUp: []string{
			"trello.com/power-ups/admin, your Power-Up, API key, Secret: put it into the Secret (not a token).",
			"The callback URL is signed: it must equal the endpoint's URL.",
		},
	}, greet: greetHEAD, handshakeMethods: []string{"HEAD"}},
	{Preset: Preset{
		Name: "clickup", DisplayName: "ClickUp", DocsURL: "https://developer.clickup.com/docs/webhooksignature",
		EventType: "{json:event}", Variants: hexBody("X-Signature", ""),
		SetUp: []string{"The answer to creating the webhook has webhook.secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "airtable", DisplayName: "Airtable", DocsURL: "https://airtable.com/developers/web/api/webhooks-overview",
		Variants: withKey(hexBody("X-Airtable-Content-MAC", "hmac-sha256="), route.EncodingBase64),
		SetUp:    []string{"The answer to creating the webhook has macSecretBase64: put it into the Secret as it is."},
	}},
	{Preset: Preset{
		Name: "figma", DisplayName: "Figma", Class: ClassStatic,
		DocsURL:   "https://developers.figma.com/docs/rest-api/webhooks/",
		EventType: "{json:event_type}",
		SetUp:     []string{"Give passcode when the webhook is created; put the same text into the Secret."},
	}, special: bodyToken("", "passcode")},
	{Preset: Preset{
		Name: "typeform", DisplayName: "Typeform",
		DocsURL:    "https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
		DeliveryID: "{json:event_id}", EventType: "{json:event_type}", IDSigned: true,
		Variants: base64Body("Typeform-Signature", "sha256="),
		SetUp:    []string{"Form, Connect, Webhooks, Edit. Fill in Secret and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "tally", DisplayName: "Tally", DocsURL: "https://tally.so/help/webhooks",
		DeliveryID: "{json:eventId}", EventType: "{json:eventType}", IDSigned: true, AckLimit: ackTen,
		Retries: Retries{For: 2 * day}, Variants: base64Body("Tally-Signature", ""),
		SetUp: []string{"Form, Integrations, Webhooks, Add signing secret. Put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "calendly", DisplayName: "Calendly",
		DocsURL:   "https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures",
		EventType: "{json:event}", Tolerance: 3 * time.Minute, FutureTolerance: 3 * time.Minute,
		Variants: listScheme("Calendly-Webhook-Signature", "t", "v1"),
		SetUp:    []string{"Give signing_key when the subscription is created; put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "cal-com", DisplayName: "Cal.com", Aliases: []string{"calcom"},
		DocsURL:   "https://cal.com/docs/developing/guides/automation/webhooks",
		EventType: "{json:triggerEvent}", Variants: hexBody("X-Cal-Signature-256", ""),
		SetUp: []string{"Settings, Developer, Webhooks, New. Fill in Secret and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "cronofy", DisplayName: "Cronofy",
		DocsURL:   "https://docs.cronofy.com/developers/push-notifications/authentication/",
		EventType: "{json:notification.type}", Variants: cronofyVariants(),
		SetUp: []string{"The key is the application's client secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "dropbox", DisplayName: "Dropbox", DocsURL: "https://www.dropbox.com/developers/reference/webhooks",
		AckLimit: ackTen, Variants: hexBody("X-Dropbox-Signature", ""),
		Handshake: "GET with the parameter challenge: its value is answered as text",
		SetUp:     []string{"dropbox.com/developers/apps, your app, App secret: put it into the Secret."},
	}, greet: greetQuery("challenge"), handshakeMethods: []string{"GET"}},
	{Preset: Preset{
		Name: "box", DisplayName: "Box", DocsURL: "https://developer.box.com/guides/webhooks/v2/signatures-v2",
		DeliveryID: "{header:Box-Delivery-Id}", EventType: "{json:trigger}",
		Tolerance: 10 * time.Minute, Variants: boxVariants(),
		SetUp: []string{"Developer Console, your app, Webhooks, Manage signature keys. Put both keys into the Secret."},
	}},
	{Preset: Preset{
		Name: "frame-io", DisplayName: "Frame.io", Aliases: []string{"frameio"},
		DocsURL:   "https://developer.adobe.com/frameio/guides/Webhooks/",
		EventType: "{json:type}", Variants: slackLike("X-Frameio-Signature", "X-Frameio-Request-Timestamp"),
		SetUp: []string{"Creating the webhook shows its signing secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "ashby", DisplayName: "Ashby", DocsURL: "https://developers.ashbyhq.com/docs/authenticating-webhooks",
		EventType: "{json:action}", Variants: hexBody("Ashby-Signature", "sha256="),
		SetUp: []string{"Admin, Developer, Webhooks. Fill in Secret Token and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "deel", DisplayName: "Deel", DocsURL: "https://developer.deel.com/docs/webhooks-intro",
		EventType: "{json:data.meta.event_type}", Variants: signedBy(hexBody("x-deel-signature", ""), "POST{body}"),
		SetUp: []string{"Developer Center, Webhooks. Put the signing key into the Secret."},
	}},
	{Preset: Preset{
		Name: "merge-dev", DisplayName: "Merge", Aliases: []string{"merge"},
		DocsURL:   "https://docs.merge.dev/basics/webhooks/",
		EventType: "{json:hook.event}",
		Variants:  one(bodyMAC(route.AlgorithmHMACSHA256, "X-Merge-Webhook-Signature", "", route.EncodingBase64URL)),
		SetUp:     []string{"Advanced, Webhooks, Security: put the signature key into the Secret."},
	}},
	{Preset: Preset{
		Name: "nylas", DisplayName: "Nylas", DocsURL: "https://developer.nylas.com/docs/v3/notifications/",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true, AckLimit: ackTen,
		Variants:  hexBody("X-Nylas-Signature", ""),
		Handshake: "GET with the parameter challenge: its value is answered as text",
		SetUp:     []string{"The answer to creating the webhook has webhook_secret: put it into the Secret."},
	}, greet: greetQuery("challenge"), handshakeMethods: []string{"GET"}},
}

// linearVariants sign the body, whose webhookTimestamp is judged afterwards.
func linearVariants() []Variant {
	v := hexBody("Linear-Signature", "")
	v[0].Scheme.Timestamp = route.Timestamp{JSON: "webhookTimestamp", Unit: route.UnitMilliseconds}
	return v
}

// trelloVariants sign the body, then the callback URL as registered.
func trelloVariants() []Variant {
	return signedBy(one(bodyMAC(route.AlgorithmHMACSHA1, "X-Trello-Webhook", "", route.EncodingBase64)), "{body}{url}")
}

// cronofyVariants list one bare signature for each active client secret.
func cronofyVariants() []Variant {
	v := base64Body("Cronofy-HMAC-SHA256", "")
	v[0].Scheme.Signature.List = &route.SignatureList{Separator: ","}
	return v
}

// boxVariants have a header for each of two keys. Box never signs ahead of
// time, so its future tolerance is zero.
func boxVariants() []Variant {
	v := timedBy(base64Body("Box-Signature-Primary", ""), "Box-Delivery-Timestamp", route.UnitRFC3339,
		"{body}{timestamp}")
	v[0].Scheme.Signature.Headers = append(v[0].Scheme.Signature.Headers, "Box-Signature-Secondary")
	v[0].Scheme.RequireHeaders = map[string]string{
		"Box-Signature-Version": "1", "Box-Signature-Algorithm": "HmacSHA256",
	}
	return v
}
