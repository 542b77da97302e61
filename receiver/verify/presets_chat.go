package verify

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// slackLike is "v0=…" over "v0:{timestamp}:{body}".
func slackLike(signatureHeader, timestampHeader string) []Variant {
	return timedBy(hexBody(signatureHeader, "v0="), timestampHeader, route.UnitSeconds, "v0:{timestamp}:{body}")
}

// presetsChat are messaging, social networks and customer support.
var presetsChat = []preset{
	{Preset: Preset{
		Name: "slack", DisplayName: "Slack",
		DocsURL:    "https://docs.slack.dev/authentication/verifying-requests-from-slack",
		DeliveryID: "{json:event_id}", EventType: "{json:event.type} | {json:type}", IDSigned: true,
		AckLimit:  ackShort,
		Variants:  slackLike("X-Slack-Signature", "X-Slack-Request-Timestamp"),
		Handshake: "url_verification: the signed challenge is answered as text; ssl_check, which has no signature: 200",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:api_app_id}"},
		Sources: []string{
			"https://docs.slack.dev/apis/events-api/#callback-field",
			"https://docs.slack.dev/apis/events-api/#retries",
			"https://docs.slack.dev/reference/events/url_verification",
			"https://github.com/slackapi/bolt-js/blob/main/src/receivers/HTTPModuleFunctions.ts",
		},
		SetUp: []string{
			"api.slack.com/apps, your app, Basic Information, Signing Secret: put it into the Secret.",
			"Event Subscriptions, Request URL: the endpoint's URL; Slack verifies it at once.",
		},
	}, greet: greetSlack, answer: answerSlack},
	{Preset: Preset{
		Name: "zoom", DisplayName: "Zoom", DocsURL: "https://developers.zoom.us/docs/api/webhooks/",
		EventType: "{json:event}", AckLimit: ackShort,
		Variants:  slackLike("x-zm-signature", "x-zm-request-timestamp"),
		Handshake: "endpoint.url_validation: the plain token and its HMAC are answered as JSON, again every 72 hours",
		Identity:  IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(90*time.Minute, RetryBytesUnknown),
		Sources: []string{
			"https://developers.zoom.us/docs/api/webhooks/",
			"https://developers.zoom.us/blog/webhook-delays/",
		},
		SetUp: []string{
			"marketplace.zoom.us, your app, Features, Access, Secret Token: put it into the Secret.",
			"Event notification endpoint URL: the endpoint's URL, then Validate.",
		},
	}, answer: answerZoom},
	{Preset: Preset{
		Name: "meta", DisplayName: "Meta (Facebook, Instagram, Messenger, WhatsApp)",
		Aliases:         []string{"facebook", "instagram", "messenger", "whatsapp", "whatsapp-business", "threads"},
		DocsURL:         "https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
		EventType:       "{json:object}.{json:entry[0].changes[0].field}",
		OptionalOptions: []Option{optionVerifyToken},
		Variants:        hexBody("X-Hub-Signature-256", "sha256="),
		Handshake:       "GET with hub.mode=subscribe and the right hub.verify_token: hub.challenge is answered as text",
		Identity:        IdentityNone, Evidence: EvidenceDocumented, Retries: retried(7*day, RetryBytesUnknown),
		Sources: []string{
			"https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
			"https://developers.facebook.com/docs/whatsapp/cloud-api/guides/set-up-webhooks",
		},
		SetUp: []string{
			"developers.facebook.com/apps, your app, App settings, Basic, App secret: put it into the Secret.",
			"Webhooks, Callback URL: the endpoint's URL. Verify token: the option verifyToken, or a key of the Secret.",
		},
	}, greet: greetMeta, handshakeMethods: []string{"GET"}},
	{Preset: Preset{
		Name: "x", DisplayName: "X (Twitter)", Aliases: []string{"twitter"},
		DocsURL:  "https://docs.x.com/x-api/webhooks/introduction",
		AckLimit: ackTen, Variants: base64Body("x-twitter-webhooks-signature", "sha256="),
		Handshake: "CRC: GET with crc_token is answered with its HMAC; event bodies that look like such " +
			"a token are refused",
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{
			"https://docs.x.com/x-api/webhooks/introduction",
			"https://docs.x.com/x-api/account-activity/introduction",
		},
		SetUp: []string{"developer.x.com, your app, Keys and tokens, API key secret: put it into the Secret."},
	}, greet: greetX, answer: refuseChallengeBody, handshakeMethods: []string{"GET"}},
	{Preset: Preset{
		Name: "line", DisplayName: "LINE",
		DocsURL:    "https://developers.line.biz/en/docs/messaging-api/verify-webhook-signature/",
		DeliveryID: "{json:events[0].webhookEventId}", EventType: "{json:events[0].type}", IDSigned: true,
		AckLimit: ackShort, Variants: base64Body("X-Line-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesResigned),
		DistinguishedBy: []string{"{json:destination}"},
		Sources: []string{
			"https://developers.line.biz/en/docs/messaging-api/receiving-messages/#webhook-redelivery",
			"https://github.com/line/line-openapi/blob/main/webhook.yml",
		},
		SetUp: []string{"LINE Developers Console, your channel, Basic settings, Channel secret: put it into the Secret."},
	}, second: "events[1].webhookEventId"},
	{Preset: Preset{
		Name: "telegram", DisplayName: "Telegram", Aliases: []string{"telegram-bot"},
		DocsURL:    "https://core.telegram.org/bots/api#setwebhook",
		DeliveryID: "{json:update_id}",
		Variants:   token("X-Telegram-Bot-Api-Secret-Token", ""),
		Identity:   IdentityID, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		Sources: []string{
			"https://core.telegram.org/bots/api#update",
			"https://core.telegram.org/bots/api#setwebhook",
		},
		SetUp: []string{"Give secret_token to setWebhook; put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "discord", DisplayName: "Discord", DocsURL: "https://docs.discord.com/developers/interactions/overview",
		DeliveryID: "{json:id}", EventType: "{json:event.type} | {json:type}", IDSigned: true, AckLimit: ackShort,
		Secret: SecretOptional, OptionalOptions: []Option{optionPublicKey, optionKey},
		Variants: one(route.Scheme{
			Algorithm: route.AlgorithmEd25519,
			Signature: route.Signature{Headers: []string{"X-Signature-Ed25519"}, Encoding: route.EncodingHex},
			Content:   "{timestamp}{body}",
			Timestamp: route.Timestamp{Header: "X-Signature-Timestamp"},
			Key:       route.KeyFormat{Encoding: route.EncodingHex},
		}),
		Handshake: "PING: interactions are answered {\"type\":1}, webhook events 204",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(10*time.Minute, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:application_id}"},
		Sources: []string{
			"https://docs.discord.com/developers/interactions/receiving-and-responding",
			"https://docs.discord.com/developers/events/webhook-events",
		},
		SetUp: []string{
			"discord.com/developers, your application, General Information, Public Key: the option publicKey.",
			"Interactions Endpoint URL, or Webhooks, Endpoint: the endpoint's URL.",
		},
	}, answer: answerDiscord, publicKeyOption: "publicKey"},
	{Preset: Preset{
		Name: "twitch", DisplayName: "Twitch EventSub",
		DocsURL:    "https://dev.twitch.tv/docs/eventsub/handling-webhook-events/",
		DeliveryID: "{header:Twitch-Eventsub-Message-Id}",
		EventType:  "{header:Twitch-Eventsub-Subscription-Type}", IDSigned: true,
		Tolerance: 10 * time.Minute, FutureTolerance: 10 * time.Minute, AckLimit: ackTen,
		Variants:  twitchVariants(),
		Handshake: "webhook_callback_verification: the signed challenge is answered as text",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://dev.twitch.tv/docs/eventsub/handling-webhook-events/"},
		SetUp:   []string{"Give transport.secret when the subscription is created; put the same text into the Secret."},
	}, answer: answerTwitch},
	{Preset: Preset{
		Name: "tiktok", DisplayName: "TikTok", DocsURL: "https://developers.tiktok.com/doc/webhooks-verification",
		EventType: "{json:event}", Variants: listScheme("TikTok-Signature", "t", "s"),
		Identity: IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(3*day, RetryBytesUnknown),
		Sources: []string{
			"https://developers.tiktok.com/doc/webhooks-overview",
			"https://developers.tiktok.com/doc/webhooks-verification",
		},
		SetUp: []string{"developers.tiktok.com, your app, Client secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "linkedin", DisplayName: "LinkedIn",
		DocsURL:   "https://learn.microsoft.com/linkedin/shared/api-guide/webhook-validation",
		EventType: "{json:type}", Variants: signedBy(hexBody("X-LI-Signature", ""), "hmacsha256={body}"),
		Handshake: "GET with challengeCode: the code and its HMAC are answered as JSON",
		Identity:  IdentityNone, Evidence: EvidenceInferred, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://learn.microsoft.com/linkedin/shared/api-guide/webhook-validation"},
		SetUp:   []string{"linkedin.com/developers, your app, Auth, Primary client secret: put it into the Secret."},
	}, greet: greetLinkedIn, handshakeMethods: []string{"GET"}},
	{Preset: Preset{
		Name: "intercom", DisplayName: "Intercom",
		DocsURL:    "https://developers.intercom.com/docs/references/webhooks/webhook-models",
		DeliveryID: "{json:id}", EventType: "{json:topic}", IDSigned: true, AckLimit: ackFive,
		Variants: sha1Body("X-Hub-Signature", "sha1="), Handshake: "HEAD is answered 200",
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(time.Minute, RetryBytesResigned),
		DistinguishedBy: []string{"{json:app_id}", "{json:topic}"},
		Sources: []string{
			"https://developers.intercom.com/docs/references/webhooks/webhook-models",
			"https://developers.intercom.com/docs/webhooks/webhook-notifications",
		},
		SetUp: []string{"Developer Hub, your app, Basic information, Client secret: put it into the Secret."},
	}, greet: greetHEAD, handshakeMethods: []string{"HEAD"}},
	{Preset: Preset{
		Name: "zendesk", DisplayName: "Zendesk",
		DocsURL:    "https://developer.zendesk.com/documentation/webhooks/verifying/",
		DeliveryID: "{header:X-Zendesk-Webhook-Invocation-Id}", EventType: "{json:type}",
		Methods:  []string{"POST", "PUT", "PATCH", "GET", "DELETE"},
		AckLimit: ackTen,
		Variants: timedBy(base64Body("X-Zendesk-Webhook-Signature", ""), "X-Zendesk-Webhook-Signature-Timestamp",
			route.UnitRFC3339, "{timestamp}{body}"),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{header:X-Zendesk-Webhook-Id}"},
		Sources: []string{
			"https://developer.zendesk.com/api-reference/webhooks/introduction",
			"https://developer.zendesk.com/documentation/webhooks/anatomy-of-a-webhook-request/",
		},
		SetUp: []string{
			"Admin Center, Apps and integrations, Webhooks, your webhook, Reveal secret: put it into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "front", DisplayName: "Front", DocsURL: "https://dev.frontapp.com/docs/application-webhooks",
		EventType: "{json:type}",
		Variants:  frontVariants(),
		Handshake: "X-Front-Challenge in a signed request: its value is answered as text",
		Identity:  IdentityRequest, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{
			"https://dev.frontapp.com/docs/application-webhooks",
			"https://dev.frontapp.com/docs/rule-webhooks",
		},
		SetUp: []string{
			"Application webhooks: Settings, Developers, your app, Basic information: put the app secret into the Secret.",
			"Rule webhooks: Settings, Developers, API, API secret: put it into the Secret.",
		},
	}, answer: answerFront},
	{Preset: Preset{
		Name: "microsoft-teams", DisplayName: "Microsoft Teams outgoing webhook", Aliases: []string{"teams", "ms-teams"},
		DocsURL:    "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true, AckLimit: ackFive,
		Variants: withKey(base64Body("Authorization", "HMAC "), route.EncodingBase64),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{
			"https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-outgoing-webhook",
			"https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference#activity-object",
		},
		SetUp: []string{
			"Team, Apps, Create an outgoing webhook. Put the security token that is shown once into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "webex", DisplayName: "Webex", Aliases: []string{"cisco-webex"},
		DocsURL:   "https://developer.webex.com/docs/webhooks",
		EventType: "{json:resource}.{json:event}", Variants: sha1Body("X-Spark-Signature", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://developer.webex.com/docs/webhooks"},
		SetUp:   []string{"Give secret when the webhook is created; put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "sendbird", DisplayName: "Sendbird",
		DocsURL:   "https://sendbird.com/docs/chat/platform-api/v3/webhook/webhook-overview",
		EventType: "{json:category}", Variants: hexBody("x-sendbird-signature", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://sendbird.com/docs/chat/platform-api/v3/webhook/webhook-overview"},
		SetUp:   []string{"The key is the application's master API token: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "sinch", DisplayName: "Sinch", DocsURL: "https://developers.sinch.com/docs/conversation/callbacks/",
		Variants: timedBy(base64Body("x-sinch-webhook-signature", ""), "x-sinch-webhook-signature-timestamp",
			route.UnitSeconds, "{body}.{header:x-sinch-webhook-signature-nonce}.{timestamp}"),
		// The nonce is signed: it names a request.
		DeliveryID: "{header:x-sinch-webhook-signature-nonce}", IDSigned: true,
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://developers.sinch.com/docs/conversation/callbacks/"},
		SetUp: []string{
			"Conversation API, your app, Webhooks. Fill in the secret token; put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "plivo", DisplayName: "Plivo", DocsURL: "https://plivo.com/docs/messaging/concepts/signature-validation",
		Methods: []string{"POST", "GET"}, DeliveryID: "{header:X-Plivo-Signature-V2-Nonce}", IDSigned: true,
		OptionalOptions: []Option{optionSignedURL}, Variants: plivoVariants(),
		// The nonce is signed, the body is not: the nonce alone is the id.
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://plivo.com/docs/messaging/concepts/signature-validation"},
		SetUp: []string{
			"Console, Overview, Auth Token of the account or subaccount: put it into the Secret.",
			"Plivo signs the URL (without its query) and a nonce, not the body; the nonce is the delivery id.",
		},
	}},
	{Preset: Preset{
		Name: "pusher", DisplayName: "Pusher Channels", DocsURL: "https://pusher.com/docs/channels/server_api/webhooks/",
		EventType: "{json:events[0].name}", Variants: hexBody("X-Pusher-Signature", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(5*time.Minute, RetryBytesUnknown),
		Sources:         []string{"https://pusher.com/docs/channels/server_api/webhooks/"},
		OptionalOptions: []Option{{optionKey.Name, "the app key that X-Pusher-Key must name; default: any"}},
		SetUp: []string{
			"Your app, App Keys: put the secret of the key into the Secret, and the key itself into the option key.",
		},
	}, adapt: adaptPusher},
	{Preset: Preset{
		Name: "ably", DisplayName: "Ably", DocsURL: "https://ably.com/docs/integrations/webhooks",
		Variants: base64Body("X-Ably-Signature", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://ably.com/docs/platform/integrations/webhooks"},
		SetUp: []string{
			"Integrations, Webhook, Sign with key. Put the part of that key after the colon into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "knock", DisplayName: "Knock", DocsURL: "https://docs.knock.app/developer-tools/outbound-webhooks/overview",
		EventType: "{json:type}", Variants: knockVariants(),
		Identity: IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://docs.knock.app/developer-tools/outbound-webhooks/overview"},
		SetUp:   []string{"Developers, Webhooks, your endpoint. Put the signing key into the Secret."},
	}},
	{Preset: Preset{
		Name: "lark", DisplayName: "Lark and Feishu", Aliases: []string{"feishu"}, Class: ClassHMAC,
		DocsURL:    "https://open.larksuite.com/document/server-docs/event-subscription-guide/overview",
		Headers:    []string{larkSignature, larkTimestamp, larkNonce},
		DeliveryID: "{json:header.event_id} | {json:uuid}", EventType: "{json:header.event_type} | {json:event.type}",
		IDSigned: true, AckLimit: ackShort,
		Handshake: "url_verification: the challenge is answered as JSON",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(7*time.Hour+6*time.Minute, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:header.app_id}", "{json:header.tenant_key}"},
		Sources: []string{
			"https://open.feishu.cn/document/server-docs/event-subscription-guide/overview",
			"https://github.com/larksuite/oapi-sdk-go/blob/v3_main/event/dispatcher/dispatcher.go",
		},
		SetUp: []string{
			"Developer Console, your app, Events & Callbacks, Encryption Strategy, Encrypt Key: set one and put it into " +
				"the Secret. Targets get the events encrypted, as they came.",
			"Without an Encrypt Key put the Verification Token there: it names the app, and the body is not signed.",
			"Event Configuration, Request URL: the endpoint's URL.",
		},
	}, special: newLark},
	{Preset: Preset{
		Name: "telnyx", DisplayName: "Telnyx", DocsURL: "https://developers.telnyx.com/docs/development/api-fundamentals/webhooks",
		DeliveryID: "{json:data.id}", EventType: "{json:data.event_type}", IDSigned: true,
		Secret: SecretOptional, OptionalOptions: []Option{optionPublicKey, optionKey},
		Variants: telnyxVariants(),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesResigned),
		DistinguishedBy: []string{"{json:data.event_type}"},
		Sources: []string{
			"https://developers.telnyx.com/docs/voice/programmable-voice/receiving-webhooks",
			"https://github.com/team-telnyx/telnyx-node/blob/master/src/lib/webhooks.ts",
		},
		SetUp: []string{
			"Mission Control, API Keys, Public Key: set it as the option publicKey, or put it into the Secret.",
		},
	}, publicKeyOption: optionPublicKey.Name},
	{Preset: Preset{
		Name: "vonage", DisplayName: "Vonage", Aliases: []string{"nexmo"},
		DocsURL: "https://developer.vonage.com/en/getting-started/concepts/webhooks",
		Class:   ClassJWT, BodySigned: true, Headers: []string{"Authorization"},
		EventType: "{json:status} | {json:message_type}",
		Identity:  IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		Sources: []string{
			"https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks",
			"https://developer.vonage.com/en/messages/concepts/signed-webhooks",
		},
		SetUp: []string{
			"API settings: put the signature secret into the Secret. Choose POST for every webhook of the application.",
			"Voice: set signed_callbacks for the application. Messages and Verify are signed without it.",
		},
	}, special: newVonage},
	{Preset: Preset{
		Name: "aircall", DisplayName: "Aircall", DocsURL: "https://developer.aircall.io/tutorials/webhooks-guide/",
		Class: ClassStatic, EventType: "{json:event}", AckLimit: ackFive,
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{
			"https://developer.aircall.io/tutorials/webhooks-guide/",
			"https://developer.aircall.io/docs/setup-webhooks",
		},
		SetUp: []string{
			"Integrations, Webhook, Install: put the token that Aircall shows into the Secret. Every event carries it.",
		},
	}, special: bodyToken("", "token")},
}

// frontVariants are those of application webhooks, which sign a time, and of
// rule webhooks, which sign the body alone.
func frontVariants() []Variant {
	return append(
		timedBy(base64Body("X-Front-Signature", ""), "X-Front-Request-Timestamp", route.UnitMilliseconds,
			"{timestamp}:{body}"),
		Variant{Scheme: bodyMAC(route.AlgorithmHMACSHA1, "X-Front-Signature", "", route.EncodingBase64)})
}

// plivoVariants sign the URL and a nonce with the tokens of the account and of
// the main account.
func plivoVariants() []Variant {
	v := signedBy(base64Body("X-Plivo-Signature-V2", ""), "{baseURL}{id}")
	s := &v[0].Scheme
	s.Signature.Headers = append(s.Signature.Headers, "X-Plivo-Signature-Ma-V2")
	s.Signature.List = &route.SignatureList{Separator: ","}
	s.ID = route.Field{Header: "X-Plivo-Signature-V2-Nonce"}
	return v
}

// twitchVariants sign message id, time and body without separators.
func twitchVariants() []Variant {
	v := timedBy(hexBody("Twitch-Eventsub-Message-Signature", "sha256="), "Twitch-Eventsub-Message-Timestamp",
		route.UnitRFC3339, "{id}{timestamp}{body}")
	v[0].Scheme.ID = route.Field{Header: "Twitch-Eventsub-Message-Id"}
	return v
}

// knockVariants are "t=…,s=…" with milliseconds and base64.
func knockVariants() []Variant {
	v := listScheme("x-knock-signature", "t", "s")
	v[0].Scheme.Signature.Encoding = route.EncodingBase64
	v[0].Scheme.Timestamp.Unit = route.UnitMilliseconds
	return v
}

// telnyxVariants are an Ed25519 signature over time and body.
func telnyxVariants() []Variant {
	return one(route.Scheme{
		Algorithm: route.AlgorithmEd25519,
		Signature: route.Signature{Headers: []string{"Telnyx-Signature-Ed25519"}, Encoding: route.EncodingBase64},
		Content:   "{timestamp}|{body}",
		Timestamp: route.Timestamp{Header: "Telnyx-Timestamp", Unit: route.UnitSeconds},
		Key:       route.KeyFormat{Encoding: route.EncodingBase64},
	})
}
