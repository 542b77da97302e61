package verify

import (
	"strconv"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// presetsCommerce are shops, shipping and content management.
var presetsCommerce = []preset{
	{Preset: Preset{
		Name: "shopify", DisplayName: "Shopify",
		DocsURL: "https://shopify.dev/docs/apps/build/webhooks/subscribe/https",
		DeliveryID: "{header:X-Shopify-Event-Id} | {header:Shopify-Event-Id} | " +
			"{header:X-Shopify-Webhook-Id} | {header:Shopify-Webhook-Id}",
		EventType: "{header:X-Shopify-Topic} | {header:Shopify-Topic}", AckLimit: ackFive,
		Variants: alsoIn(base64Body("X-Shopify-Hmac-Sha256", ""), "Shopify-Hmac-Sha256"),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(4*time.Hour, RetryBytesIdentical),
		DistinguishedBy: []string{
			"{header:X-Shopify-Topic}", "{header:X-Shopify-Webhook-Id}", "{header:X-Shopify-Shop-Domain}",
			"{header:Shopify-Topic}", "{header:Shopify-Webhook-Id}", "{header:Shopify-Shop-Domain}",
		},
		Sources: []string{
			"https://shopify.dev/docs/apps/build/webhooks/ignore-duplicates",
			"https://shopify.dev/docs/apps/build/events/verify-deliveries",
			"https://shopify.dev/changelog/updates-to-webhook-retry-mechanism",
		},
		SetUp: []string{
			"App: the key is the app's client secret (Dev Dashboard, Settings, Credentials).",
			"Shop admin: Settings, Notifications, Webhooks shows the key that all its webhooks are signed with.",
		},
	}},
	{Preset: Preset{
		Name: "woocommerce", DisplayName: "WooCommerce", DocsURL: "https://woocommerce.com/document/webhooks/",
		DeliveryID: "{header:X-WC-Webhook-Delivery-ID}", EventType: "{header:X-WC-Webhook-Topic}",
		Variants:  base64Body("X-WC-Webhook-Signature", ""),
		Handshake: "webhook_id=N when the webhook is saved, which has no signature: 200",
		Identity:  IdentityNone, Evidence: EvidenceSDK, Retries: notRetried(),
		Sources: []string{
			"https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php",
		},
		SetUp: []string{
			"WooCommerce, Settings, Advanced, Webhooks. Fill in Secret and put the same text into the Secret.",
		},
	}, greet: greetWooCommerce},
	{Preset: Preset{
		Name: "bigcommerce", DisplayName: "BigCommerce",
		DocsURL:    "https://developer.bigcommerce.com/docs/integrations/webhooks",
		DeliveryID: "{header:webhook-id}", EventType: "{json:scope}", IDSigned: true,
		Variants: rawStandard()[1:],
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(2*day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:scope}", "{json:producer}"},
		Sources:         []string{"https://developer.bigcommerce.com/docs/integrations/webhooks", standardSpec},
		SetUp:           []string{"The key is the client secret of the API account, as it is: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "webflow", DisplayName: "Webflow", DocsURL: "https://developers.webflow.com/data/docs/working-with-webhooks",
		EventType: "{json:triggerType}",
		Variants: timedBy(hexBody("x-webflow-signature", ""), "x-webflow-timestamp", route.UnitMilliseconds,
			"{timestamp}:{body}"),
		Identity: IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(30*time.Minute, RetryBytesUnknown),
		Sources: []string{"https://developers.webflow.com/data/docs/working-with-webhooks"},
		SetUp:   []string{"The key is the OAuth app's client secret, or the webhook's own secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "squarespace", DisplayName: "Squarespace",
		DocsURL:    "https://developers.squarespace.com/commerce-apis/webhooks-overview",
		DeliveryID: "{json:id}", EventType: "{json:topic}", IDSigned: true,
		Variants: withKey(hexBody("Squarespace-Signature", ""), route.EncodingHex),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(2*day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:websiteId}", "{json:subscriptionId}", "{json:topic}"},
		Sources: []string{
			"https://developers.squarespace.com/webhooks/notification-delivery",
			"https://developers.squarespace.com/webhooks/overview",
		},
		SetUp: []string{
			"The answer to creating the webhook subscription has the hexadecimal secret: put it into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "sanity", DisplayName: "Sanity", DocsURL: "https://www.sanity.io/docs/content-lake/webhook-best-practices",
		DeliveryID: "{header:idempotency-key}", EventType: "{header:sanity-operation}",
		Variants: sanityVariants(),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(30*time.Minute, RetryBytesUnknown),
		DistinguishedBy: []string{
			"{header:sanity-webhook-id}", "{header:sanity-transaction-id}", "{header:sanity-document-id}",
			"{header:sanity-operation}", "{header:sanity-dataset}", "{header:sanity-project-id}",
		},
		Sources: []string{"https://www.sanity.io/docs/content-lake/webhook-best-practices"},
		SetUp: []string{
			"sanity.io/manage, your project, API, GROQ-powered webhooks. Fill in Secret; put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "framer", DisplayName: "Framer", DocsURL: "https://www.framer.com/help/articles/webhooks/",
		DeliveryID: "{header:framer-webhook-submission-id}", IDSigned: true,
		Headers: []string{"framer-signature", "framer-webhook-submission-id"},
		Variants: signedBy(hexBody("framer-signature", "sha256="),
			"{body}{header:framer-webhook-submission-id}"),
		Unconfirmed: "by independent receivers of its webhooks only: the order of body and submission id",
		Identity:    IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://www.framer.com/help/articles/framer-form-webhook-setup"},
		SetUp:   []string{"Form, Send to, Webhook. Fill in Secret and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "aftership", DisplayName: "AfterShip",
		DocsURL:    "https://www.aftership.com/docs/tracking/webhook/webhook-overview",
		DeliveryID: "{json:event_id}", EventType: "{json:event}", IDSigned: true,
		Variants: base64Body("aftership-hmac-sha256", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:event}"},
		Sources:         []string{"https://www.aftership.com/docs/tracking/2025-01/webhook/webhook-specifications"},
		SetUp:           []string{"Settings, Notifications, Webhooks. Put the webhook secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "shippo", DisplayName: "Shippo", DocsURL: "https://docs.goshippo.com/docs/tracking/webhooksecurity/",
		EventType: "{json:event}", Variants: listScheme("Shippo-Auth-Signature", "t", "v1"),
		Identity: IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://docs.goshippo.com/docs/tracking/webhooksecurity/"},
		SetUp:   []string{"Shippo sends the HMAC secret on request: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "onfleet", DisplayName: "Onfleet", DocsURL: "https://docs.onfleet.com/reference/webhooks",
		EventType: "{json:triggerName}",
		Variants:  withKey(sha512Body("X-Onfleet-Signature", ""), route.EncodingHex),
		Handshake: "GET with the parameter check: its value is answered as text",
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://docs.onfleet.com/reference/webhooks"},
		SetUp:   []string{"Settings, API & Webhooks. Put the hexadecimal webhook secret into the Secret."},
	}, greet: greetQuery("check"), handshakeMethods: []string{"GET"}},
	{Preset: Preset{
		Name: "lob", DisplayName: "Lob", DocsURL: "https://docs.lob.com/#tag/Webhooks",
		DeliveryID: "{json:id}", EventType: "{json:event_type.id}", IDSigned: true,
		Headers: []string{"Lob-Signature", "Lob-Signature-Timestamp"},
		Variants: signedBy(hexBody("Lob-Signature", ""),
			"{header:Lob-Signature-Timestamp}.{body}"),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:event_type.id}"},
		Sources: []string{
			"https://docs.lob.com/#tag/Events",
			"https://help.lob.com/print-and-mail/getting-data-and-results/using-webhooks",
		},
		SetUp: []string{"Webhooks, your webhook. Put its secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "docusign", DisplayName: "DocuSign Connect", Aliases: []string{"docusign-connect"},
		DocsURL:    "https://developers.docusign.com/platform/webhooks/connect/hmac/",
		DeliveryID: "", EventType: "{json:event}", Headers: []string{"X-DocuSign-Signature-1"},
		Variants: docusignVariants(),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesResigned),
		Sources: []string{"https://developers.docusign.com/platform/webhooks/connect/"},
		SetUp: []string{
			"Settings, Connect, Connect Keys, Add Secret Key: put the key into the Secret.",
			"Your configuration: Include HMAC Signature. DocuSign signs once with every key.",
		},
	}},
	{Preset: Preset{
		Name: "checkr", DisplayName: "Checkr", DocsURL: "https://docs.checkr.com/#section/Webhooks",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		Variants: hexBody("X-Checkr-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:type}"},
		Sources:         []string{"https://docs.checkr.com/#section/Webhooks"},
		SetUp:           []string{"The key is the secret API key of the account: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "elevenlabs", DisplayName: "ElevenLabs",
		DocsURL:   "https://elevenlabs.io/docs/overview/administration/webhooks",
		EventType: "{json:type}", Tolerance: 30 * time.Minute, FutureTolerance: 30 * time.Minute,
		Variants: listScheme("ElevenLabs-Signature", "t", "v0"),
		Identity: IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://elevenlabs.io/docs/overview/administration/webhooks"},
		SetUp:   []string{"Settings, Webhooks, Create webhook, HMAC. Put the shared secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "exa", DisplayName: "Exa Websets", DocsURL: "https://exa.ai/docs/websets/api/webhooks/verifying-signatures",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		Variants: listScheme("Exa-Signature", "t", "v1"),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:type}"},
		Sources:         []string{"https://exa.ai/docs/websets/api/webhooks/verifying-signatures"},
		SetUp:           []string{"The answer to creating the webhook has the secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "mux", DisplayName: "Mux", DocsURL: "https://www.mux.com/docs/core/verify-webhook-signatures",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		Variants: listScheme("Mux-Signature", "t", "v1"),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:type}", "{json:environment.id}"},
		Sources:         []string{"https://www.mux.com/docs/core/listen-for-webhooks"},
		SetUp:           []string{"Settings, Webhooks, your webhook. Put the signing secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "alchemy", DisplayName: "Alchemy", DocsURL: "https://www.alchemy.com/docs/reference/notify-api-quickstart",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		Variants: hexBody("X-Alchemy-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceObserved, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:webhookId}"},
		Sources:         []string{"https://www.alchemy.com/docs/reference/notify-api-quickstart"},
		SetUp:           []string{"Data, Webhooks, your webhook. Put the signing key at the top right into the Secret."},
	}},
	{Preset: Preset{
		Name: "autodesk", DisplayName: "Autodesk Platform Services", Aliases: []string{"autodesk-aps", "autodesk-forge"},
		DocsURL:    "https://aps.autodesk.com/en/docs/webhooks/v1/developers_guide/callback-authentication/",
		DeliveryID: "{header:x-adsk-delivery-id}", EventType: "{json:hook.event}",
		Variants: sha1Body("x-adsk-signature", "sha1hash="),
		Identity: IdentityNone, Evidence: EvidenceInferred, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://aps.autodesk.com/en/docs/webhooks/v1/developers_guide/event-delivery-guarantees/"},
		SetUp:   []string{"POST the secret token with the Webhooks API; put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "cloudinary", DisplayName: "Cloudinary", DocsURL: "https://cloudinary.com/documentation/notifications",
		Class: ClassHMAC, BodySigned: true, Headers: []string{cloudinarySignature, cloudinaryTimestamp},
		EventType: "{json:notification_type}", Tolerance: 2 * time.Hour, FutureTolerance: defaultTolerance,
		Identity: IdentityRequest, Evidence: EvidenceSDK, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{
			"https://cloudinary.com/documentation/notifications",
			"https://github.com/cloudinary/cloudinary_npm/blob/master/lib/utils/index.js",
		},
		SetUp: []string{
			"Settings, API Keys: put the API secret into the Secret.",
			"Settings, Webhook Notifications: add the endpoint's URL, or give it as notification_url.",
		},
	}, special: newCloudinary},
}

// sanityVariants are "t=…,v1=…" with milliseconds and URL-safe base64.
func sanityVariants() []Variant {
	v := listScheme("sanity-webhook-signature", "t", "v1")
	v[0].Scheme.Signature.Encoding = route.EncodingBase64URL
	v[0].Scheme.Timestamp.Unit = route.UnitMilliseconds
	return v
}

// docusignVariants have one header for each of up to a hundred keys.
func docusignVariants() []Variant {
	v := base64Body("X-DocuSign-Signature-1", "")
	for i := 2; i <= 100; i++ {
		v[0].Scheme.Signature.Headers = append(v[0].Scheme.Signature.Headers,
			"X-DocuSign-Signature-"+strconv.Itoa(i))
	}
	return v
}
