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
		AckLimit: 20 * time.Second, Variants: hexBody("X-Hub-Signature", "sha256="),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(2*time.Hour, RetryBytesUnknown),
		Sources: []string{"https://developer.atlassian.com/cloud/jira/platform/webhooks/"},
		SetUp:   []string{"Settings, System, WebHooks, Create. Fill in Secret and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "linear", DisplayName: "Linear", DocsURL: "https://linear.app/developers/webhooks",
		DeliveryID: "{header:Linear-Delivery}", EventType: "{json:type}.{json:action}",
		Tolerance: time.Minute, FutureTolerance: time.Minute, AckLimit: ackFive,
		Variants: linearVariants(),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(8*time.Hour, RetryBytesIdentical),
		DistinguishedBy: []string{"{json:webhookId}"},
		Sources:         []string{"https://linear.app/developers/webhooks"},
		SetUp:           []string{"Settings, API, Webhooks, New webhook. Put the signing secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "notion", DisplayName: "Notion", DocsURL: "https://developers.notion.com/reference/webhooks",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		OptionalOptions: []Option{optionAwait}, Variants: hexBody("X-Notion-Signature", "sha256="),
		Handshake: "the first request brings the verification token: accepted only with awaitHandshake",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesResigned),
		DistinguishedBy: []string{"{json:subscription_id}"},
		Sources: []string{
			"https://developers.notion.com/reference/webhooks-events-delivery",
			"https://developers.notion.com/reference/webhooks",
		},
		SetUp: []string{
			"notion.so/my-integrations, your integration, Webhooks, Create a subscription: the endpoint's URL.",
			"Set the option awaitHandshake to true until the verification_token has arrived, put it into the Secret, " +
				"and paste it in Notion to verify the subscription. Then take the option away.",
		},
	}, greet: greetNotion},
	{Preset: Preset{
		Name: "asana", DisplayName: "Asana", DocsURL: "https://developers.asana.com/docs/webhooks-guide",
		AckLimit: ackTen, EventType: "{json:events[0].resource.resource_type}.{json:events[0].action}",
		OptionalOptions: []Option{optionAwait}, Variants: hexBody("X-Hook-Signature", ""),
		Handshake: "X-Hook-Secret is echoed only with awaitHandshake, or when it is already in the Secret",
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		Sources: []string{"https://developers.asana.com/docs/webhooks-guide"},
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
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(4*time.Minute, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:webhook.id}", "{json:model.id}"},
		Sources:         []string{"https://developer.atlassian.com/cloud/trello/guides/rest-api/webhooks/"},
		SetUp: []string{
			"trello.com/power-ups/admin, your Power-Up, API key, Secret: put it into the Secret (not a token).",
			"The callback URL is signed: it must equal the endpoint's URL.",
		},
	}, greet: greetHEAD, handshakeMethods: []string{"HEAD"}},
	{Preset: Preset{
		Name: "clickup", DisplayName: "ClickUp", DocsURL: "https://developer.clickup.com/docs/webhooksignature",
		AckLimit: 7 * time.Second, EventType: "{json:event}", Variants: hexBody("X-Signature", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{
			"https://developer.clickup.com/docs/webhookfolderpayloads",
			"https://developer.clickup.com/docs/webhookhealth",
		},
		SetUp: []string{"The answer to creating the webhook has webhook.secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "airtable", DisplayName: "Airtable", DocsURL: "https://airtable.com/developers/web/api/webhooks-overview",
		Variants: withKey(hexBody("X-Airtable-Content-MAC", "hmac-sha256="), route.EncodingBase64),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://airtable.com/developers/web/api/webhooks-overview"},
		SetUp:   []string{"The answer to creating the webhook has macSecretBase64: put it into the Secret as it is."},
	}},
	{Preset: Preset{
		Name: "figma", DisplayName: "Figma", Class: ClassStatic,
		DocsURL:   "https://developers.figma.com/docs/rest-api/webhooks/",
		EventType: "{json:event_type}",
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(4*time.Hour, RetryBytesUnknown),
		Sources: []string{"https://developers.figma.com/docs/rest-api/webhooks/"},
		SetUp:   []string{"Give passcode when the webhook is created; put the same text into the Secret."},
	}, special: bodyToken("", "passcode")},
	{Preset: Preset{
		Name: "typeform", DisplayName: "Typeform",
		DocsURL:    "https://www.typeform.com/developers/webhooks/secure-your-webhooks/",
		DeliveryID: "{json:event_id}", EventType: "{json:event_type}", IDSigned: true,
		AckLimit: 30 * time.Second, Variants: base64Body("Typeform-Signature", "sha256="),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(10*time.Hour, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:event_type}", "{json:form_response.token}"},
		Sources: []string{
			"https://www.typeform.com/developers/webhooks/",
			"https://www.typeform.com/developers/webhooks/example-payload/",
		},
		SetUp: []string{"Form, Connect, Webhooks, Edit. Fill in Secret and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "tally", DisplayName: "Tally", DocsURL: "https://tally.so/help/webhooks",
		DeliveryID: "{json:eventId}", EventType: "{json:eventType}", IDSigned: true, AckLimit: ackTen,
		Variants: base64Body("Tally-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(2*day, RetryBytesUnknown),
		Sources: []string{
			"https://tally.so/help/webhooks",
			"https://developers.tally.so/api-reference/endpoint/webhooks/events/retry",
		},
		SetUp: []string{"Form, Integrations, Webhooks, Add signing secret. Put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "calendly", DisplayName: "Calendly",
		DocsURL:   "https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures",
		EventType: "{json:event}", Tolerance: 3 * time.Minute, FutureTolerance: 3 * time.Minute,
		Variants: listScheme("Calendly-Webhook-Signature", "t", "v1"),
		Identity: IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		Sources: []string{"https://developer.calendly.com/api-docs/4c305798a61d3-webhook-signatures"},
		SetUp:   []string{"Give signing_key when the subscription is created; put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "cal-com", DisplayName: "Cal.com", Aliases: []string{"calcom"},
		DocsURL:   "https://cal.com/docs/developing/guides/automation/webhooks",
		EventType: "{json:triggerEvent}", Variants: hexBody("X-Cal-Signature-256", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://cal.com/docs/developing/guides/automation/webhooks"},
		SetUp:   []string{"Settings, Developer, Webhooks, New. Fill in Secret and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "cronofy", DisplayName: "Cronofy",
		DocsURL:   "https://docs.cronofy.com/developers/push-notifications/authentication/",
		EventType: "{json:notification.type}", Variants: cronofyVariants(),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://docs.cronofy.com/developers/push-notifications/"},
		SetUp:   []string{"The key is the application's client secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "dropbox", DisplayName: "Dropbox", DocsURL: "https://www.dropbox.com/developers/reference/webhooks",
		AckLimit: ackTen, Variants: hexBody("X-Dropbox-Signature", ""),
		Handshake: "GET with the parameter challenge: its value is answered as text",
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(10*time.Minute, RetryBytesUnknown),
		Sources: []string{"https://www.dropbox.com/developers/reference/webhooks"},
		SetUp:   []string{"dropbox.com/developers/apps, your app, App secret: put it into the Secret."},
	}, greet: greetQuery("challenge"), handshakeMethods: []string{"GET"}},
	{Preset: Preset{
		Name: "box", DisplayName: "Box", DocsURL: "https://developer.box.com/guides/webhooks/v2/signatures-v2",
		DeliveryID: "{json:id}", IDSigned: true, AckLimit: 30 * time.Second, EventType: "{json:trigger}",
		Tolerance: 10 * time.Minute, Variants: boxVariants(),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(2*time.Hour, RetryBytesResigned),
		DistinguishedBy: []string{"{json:webhook.id}"},
		Sources: []string{
			"https://developer.box.com/guides/webhooks/v2/#payload-body",
			"https://developer.box.com/guides/webhooks/v2/#retries",
		},
		SetUp: []string{"Developer Console, your app, Webhooks, Manage signature keys. Put both keys into the Secret."},
	}},
	{Preset: Preset{
		Name: "frame-io", DisplayName: "Frame.io", Aliases: []string{"frameio"},
		DocsURL:   "https://developer.adobe.com/frameio/guides/Webhooks/",
		EventType: "{json:type}", Variants: slackLike("X-Frameio-Signature", "X-Frameio-Request-Timestamp"),
		Identity: IdentityRequest, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://developer.adobe.com/frameio/guides/Webhooks/"},
		SetUp:   []string{"Creating the webhook shows its signing secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "ashby", DisplayName: "Ashby", DocsURL: "https://developers.ashbyhq.com/docs/authenticating-webhooks",
		EventType: "{json:action}", Variants: hexBody("Ashby-Signature", "sha256="),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(3*time.Hour, RetryBytesUnknown),
		Sources: []string{"https://developers.ashbyhq.com/docs/retries"},
		SetUp:   []string{"Admin, Developer, Webhooks. Fill in Secret Token and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "deel", DisplayName: "Deel", DocsURL: "https://developer.deel.com/docs/webhooks-intro",
		EventType: "{json:data.meta.event_type}", Variants: signedBy(hexBody("x-deel-signature", ""), "POST{body}"),
		Identity: IdentityNone, Evidence: EvidenceInferred, Retries: notRetried(),
		Sources: []string{"https://developer.deel.com/docs/webhooks-intro"},
		SetUp:   []string{"Developer Center, Webhooks. Put the signing key into the Secret."},
	}},
	{Preset: Preset{
		Name: "merge-dev", DisplayName: "Merge", Aliases: []string{"merge"},
		DocsURL:   "https://docs.merge.dev/basics/webhooks/",
		EventType: "{json:hook.event}",
		Variants:  one(bodyMAC(route.AlgorithmHMACSHA256, "X-Merge-Webhook-Signature", "", route.EncodingBase64URL)),
		Identity:  IdentityNone, Evidence: EvidenceInferred, Retries: notRetried(),
		Sources: []string{"https://docs.merge.dev/basics/webhooks/"},
		SetUp:   []string{"Advanced, Webhooks, Security: put the signature key into the Secret."},
	}},
	{Preset: Preset{
		Name: "nylas", DisplayName: "Nylas", DocsURL: "https://developer.nylas.com/docs/v3/notifications/",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true, AckLimit: ackTen,
		Variants:  hexBody("X-Nylas-Signature", ""),
		Handshake: "GET with the parameter challenge: its value is answered as text",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesIdentical),
		DistinguishedBy: []string{"{json:source}", "{json:type}"},
		Sources: []string{
			"https://developer.nylas.com/docs/cookbook/use-cases/build/handle-duplicate-webhooks/",
			"https://developer.nylas.com/docs/v3/notifications/",
		},
		SetUp: []string{"The answer to creating the webhook has webhook_secret: put it into the Secret."},
	}, greet: greetQuery("challenge"), handshakeMethods: []string{"GET"}},
}

// linearVariants sign the body, whose webhookTimestamp is judged afterwards.
// Where the body has none, that of the header is, which is not signed.
func linearVariants() []Variant {
	v := hexBody("Linear-Signature", "")
	v[0].Scheme.Timestamp = route.Timestamp{
		JSON: "webhookTimestamp", Header: "Linear-Timestamp", Unit: route.UnitMilliseconds,
	}
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
