package verify

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// presetsPayments are payment and finance providers.
var presetsPayments = []preset{
	{Preset: Preset{
		Name: "stripe", DisplayName: "Stripe", DocsURL: "https://docs.stripe.com/webhooks/signature",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		AckLimit: ackTen,
		Variants: listScheme("Stripe-Signature", "t", "v1"),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(3*day, RetryBytesResigned),
		DistinguishedBy: []string{"{json:account}", "{json:object}"},
		Sources: []string{
			"https://docs.stripe.com/webhooks#handle-duplicate-events", "https://docs.stripe.com/webhooks/signature",
		},
		SetUp: []string{
			"Workbench, Webhooks, Create an event destination, Webhook endpoint. Endpoint URL: the endpoint's URL.",
			"Signing secret: reveal it and put the whole text, whsec_ included, into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "square", DisplayName: "Square", DocsURL: "https://developer.squareup.com/docs/webhooks/step3validate",
		DeliveryID: "{json:event_id}", EventType: "{json:type}", IDSigned: true,
		OptionalOptions: []Option{optionSignedURL},
		Variants:        signedBy(base64Body("x-square-hmacsha256-signature", ""), "{url}{body}"),
		Identity:        IdentityID, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:merchant_id}"},
		Sources:         []string{"https://developer.squareup.com/docs/webhooks/overview"},
		SetUp: []string{
			"Developer Console, your application, Webhooks, Subscriptions, Add subscription.",
			"Put the Signature Key into the Secret. The notification URL is signed: it must equal the endpoint's URL.",
		},
	}},
	{Preset: Preset{
		Name: "adyen-platform", DisplayName: "Adyen for Platforms",
		Aliases:   []string{"adyen-management", "adyen-banking", "adyen-balance-platform"},
		DocsURL:   "https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures",
		EventType: "{json:type}", AckLimit: ackTen,
		Variants: withKey(base64Body("HmacSignature", ""), route.EncodingHex),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(30*day, RetryBytesUnknown),
		Sources: []string{
			"https://docs.adyen.com/development-resources/webhooks/webhook-types",
			"https://docs.adyen.com/development-resources/webhooks/troubleshoot",
		},
		SetUp: []string{
			"Developers, Webhooks, your webhook, HMAC key, Generate: put the hexadecimal key into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "adyen-payments", DisplayName: "Adyen payments", Aliases: []string{"adyen", "adyen-standard"},
		Class:      ClassHMAC,
		DocsURL:    "https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures",
		DeliveryID: "{json:notificationItems[0].NotificationRequestItem.pspReference}",
		EventType:  "{json:notificationItems[0].NotificationRequestItem.eventCode}", IDSigned: true,
		AckLimit: ackTen,
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(30*day, RetryBytesUnknown),
		DistinguishedBy: []string{
			"{json:notificationItems[0].NotificationRequestItem.eventCode}",
			"{json:notificationItems[0].NotificationRequestItem.success}",
			"{json:notificationItems[0].NotificationRequestItem.originalReference}",
			"{json:notificationItems[0].NotificationRequestItem.merchantAccountCode}",
			"{json:notificationItems[0].NotificationRequestItem.merchantReference}",
			"{json:notificationItems[0].NotificationRequestItem.amount.value}",
			"{json:notificationItems[0].NotificationRequestItem.amount.currency}",
		},
		Sources: []string{
			"https://docs.adyen.com/development-resources/webhooks/handle-webhook-events",
			"https://docs.adyen.com/development-resources/webhooks/troubleshoot",
		},
		SetUp: []string{
			"Developers, Webhooks, Standard webhook, HMAC key, Generate: put the hexadecimal key into the Secret.",
		},
	}, second: "notificationItems[1].NotificationRequestItem.additionalData.hmacSignature", special: newAdyenPayments},
	{Preset: Preset{
		Name: "paddle", DisplayName: "Paddle Billing", Aliases: []string{"paddle-billing"},
		DocsURL:    "https://developer.paddle.com/webhooks/signature-verification",
		DeliveryID: "{json:event_id}", EventType: "{json:event_type}", IDSigned: true, AckLimit: ackFive,
		Variants: one(route.Scheme{
			Algorithm: route.AlgorithmHMACSHA256,
			Signature: route.Signature{
				Headers: []string{"Paddle-Signature"}, Encoding: route.EncodingHex,
				List: &route.SignatureList{Separator: ";", KeyValueSeparator: "=", SignatureKey: "h1", TimestampKey: "ts"},
			},
			Content: "{timestamp}:{body}",
		}),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(3*day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:event_type}"},
		Sources:         []string{"https://developer.paddle.com/webhooks/respond-to-webhooks"},
		SetUp: []string{
			"Developer tools, Notifications, New destination. Put the secret key pdl_ntfset_… into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "coinbase-commerce", DisplayName: "Coinbase Commerce", Aliases: []string{"coinbase"},
		DocsURL:    "https://docs.cdp.coinbase.com/commerce/webhooks/security",
		DeliveryID: "{json:event.id}", EventType: "{json:event.type}", IDSigned: true,
		Variants: hexBody("X-CC-Webhook-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(3*day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:event.type}"},
		Sources:         []string{"https://docs.cdp.coinbase.com/commerce/webhooks/security"},
		SetUp:           []string{"Settings, Notifications, Webhook subscriptions. Put the shared secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "razorpay", DisplayName: "Razorpay", DocsURL: "https://razorpay.com/docs/webhooks/validate-test/",
		DeliveryID: "{header:X-Razorpay-Event-Id}", EventType: "{json:event}", AckLimit: ackFive,
		Variants: hexBody("X-Razorpay-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:event}", "{json:account_id}"},
		Sources:         []string{"https://razorpay.com/docs/webhooks/best-practices/"},
		SetUp: []string{
			"Account & Settings, Webhooks, Add New Webhook. Put its secret (not the API key) into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "paystack", DisplayName: "Paystack", DocsURL: "https://paystack.com/docs/payments/webhooks/",
		EventType: "{json:event}", Variants: sha512Body("x-paystack-signature", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(3*day, RetryBytesUnknown),
		Sources: []string{"https://paystack.com/docs/payments/webhooks/"},
		SetUp:   []string{"Settings, API Keys & Webhooks. The key is your secret key sk_…: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "gocardless", DisplayName: "GoCardless",
		DocsURL:    "https://developer.gocardless.com/getting-started/staying-up-to-date-with-webhooks",
		DeliveryID: "{json:meta.webhook_id}", AckLimit: ackTen, IDSigned: true,
		Variants: hexBody("Webhook-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{
			"https://developer.gocardless.com/api-reference/#webhooks-retry-a-webhook",
			"https://support.gocardless.com/hc/en-nz/articles/360000989989-Webhook-retries-failures",
		},
		SetUp: []string{"Developers, Create, Webhook endpoint. Put its secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "checkout-com", DisplayName: "Checkout.com", Aliases: []string{"checkout"},
		DocsURL:    "https://www.checkout.com/docs/developer-resources/event-notifications",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		Variants: hexBody("Cko-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(30*time.Hour, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:type}"},
		Sources:         []string{"https://www.checkout.com/docs/developer-resources/event-notifications/receive-webhooks"},
		SetUp:           []string{"Developers, Workflows, Send a webhook. Put the signature key into the Secret."},
	}},
	{Preset: Preset{
		Name: "lemon-squeezy", DisplayName: "Lemon Squeezy", Aliases: []string{"lemonsqueezy"},
		DocsURL:   "https://docs.lemonsqueezy.com/help/webhooks/signing-requests",
		EventType: "{header:X-Event-Name} | {json:meta.event_name}",
		Variants:  hexBody("X-Signature", ""),
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(3*time.Minute, RetryBytesUnknown),
		Sources: []string{"https://docs.lemonsqueezy.com/help/webhooks/webhook-requests"},
		SetUp:   []string{"Settings, Webhooks, add. Fill in Signing secret and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "chargify", DisplayName: "Maxio Advanced Billing (Chargify)", Aliases: []string{"maxio"},
		DocsURL:    "https://docs.maxio.com/hc/en-us/articles/24294764325773-Webhooks",
		DeliveryID: "{header:X-Chargify-Webhook-Id}",
		Variants:   hexBody("X-Chargify-Webhook-Signature-Hmac-Sha-256", ""),
		Identity:   IdentityID, Evidence: EvidenceSDK, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://unpkg.com/@maxio-com/advanced-billing-sdk@8.0.0/src/models/webhook.ts"},
		SetUp:   []string{"Config, Settings, Webhooks. Put the site's shared key into the Secret."},
	}},
	{Preset: Preset{
		Name: "modern-treasury", DisplayName: "Modern Treasury",
		DocsURL:    "https://docs.moderntreasury.com/platform/reference/webhooks",
		DeliveryID: "{header:X-Webhook-ID}", AckLimit: ackFive, EventType: "{header:X-Topic}.{json:event}",
		Variants: hexBody("X-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{header:X-Topic}", "{json:event}"},
		Sources:         []string{"https://docs.moderntreasury.com/platform/reference/webhooks"},
		SetUp:           []string{"Developers, Webhooks, your endpoint. Put the webhook key into the Secret."},
	}},
	{Preset: Preset{
		Name: "xero", DisplayName: "Xero", DocsURL: "https://developer.xero.com/documentation/guides/webhooks/overview/",
		AckLimit: ackFive, Variants: base64Body("x-xero-signature", ""),
		Handshake: "intent to receive: signed requests without events are answered 200 with an empty body, others 401",
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		Sources: []string{"https://developer.xero.com/documentation/guides/webhooks/overview/"},
		SetUp: []string{
			"My Apps, your app, Webhooks. Put the webhooks key into the Secret, then send the intent to receive.",
		},
	}, answer: answerXero},
	{Preset: Preset{
		Name: "quickbooks", DisplayName: "QuickBooks Online", Aliases: []string{"intuit"},
		DocsURL:  "https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks",
		AckLimit: ackShort, Variants: base64Body("intuit-signature", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks"},
		SetUp:   []string{"My Apps, your app, Webhooks. Put the verifier token into the Secret."},
	}},
	{Preset: Preset{
		Name: "bolt", DisplayName: "Bolt", DocsURL: "https://help.bolt.com/developers/webhooks/",
		EventType: "{json:type}",
		Variants:  base64Body("X-Bolt-Hmac-Sha256", ""),
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://help.bolt.com/developers/webhooks/webhooks/"},
		SetUp:   []string{"Administration, API. Put the signing secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "affirm", DisplayName: "Affirm", DocsURL: "https://docs.affirm.com/developers/docs/webhooks",
		Variants: affirmVariants(),
		Identity: IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://docs.affirm.com/developers/docs/webhooks"},
		SetUp:   []string{"Put the webhook's private key, as Affirm gave it, into the Secret."},
	}},
	{Preset: Preset{
		Name: "airwallex", DisplayName: "Airwallex",
		DocsURL:    "https://www.airwallex.com/docs/developer-tools/webhooks/listen-for-webhook-events",
		DeliveryID: "{json:id}", EventType: "{json:name}", IDSigned: true,
		Variants: signedBy(hexBody("x-signature", ""), "{header:x-timestamp}{body}"),
		Headers:  []string{"x-signature", "x-timestamp"},
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(3*day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:account_id}"},
		Sources:         []string{"https://www.airwallex.com/docs/developer-tools/webhooks/webhooks-overview"},
		SetUp:           []string{"Developer, Webhooks, your webhook. Put the webhook secret key into the Secret."},
	}},
	{Preset: Preset{
		Name: "authorize-net", DisplayName: "Authorize.Net", Aliases: []string{"authorizenet"},
		DocsURL:    "https://developer.authorize.net/api/reference/features/webhooks.html",
		DeliveryID: "{json:notificationId}", EventType: "{json:eventType}", IDSigned: true,
		Variants: withKey(sha512Body("X-ANET-Signature", "sha512="), route.EncodingHex),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(9*day+time.Hour, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:webhookId}"},
		Sources:         []string{"https://developer.authorize.net/api/reference/features/webhooks.html"},
		SetUp: []string{
			"Account, Settings, API Credentials & Keys, New Signature Key: put the hexadecimal key into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "dwolla", DisplayName: "Dwolla", DocsURL: "https://developers.dwolla.com/docs/balance/webhooks",
		DeliveryID: "{json:id}", EventType: "{header:X-Dwolla-Topic} | {json:topic}", IDSigned: true,
		AckLimit: ackTen, Variants: hexBody("X-Request-Signature-SHA-256", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(3*day, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:topic}"},
		Sources: []string{
			"https://developers.dwolla.com/docs/balance/webhooks",
			"https://developers.dwolla.com/docs/api-reference/webhook-subscriptions",
		},
		SetUp: []string{"Give secret when the webhook subscription is created; put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "primer", DisplayName: "Primer", DocsURL: "https://primer.io/docs/api-reference/get-started/webhooks",
		EventType: "{json:eventType}",
		Variants: one(route.Scheme{
			Algorithm: route.AlgorithmHMACSHA256,
			Signature: route.Signature{
				Headers:  []string{"X-Signature-Primary", "X-Signature-Secondary"},
				Encoding: route.EncodingBase64,
			},
		}),
		Unconfirmed: "the two header names and the base64 encoding",
		Identity:    IdentityNone, Evidence: EvidenceInferred, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://primer.io/docs/api-reference/get-started/webhooks"},
		SetUp:   []string{"Developers, Webhooks. Put the signing secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "cashfree", DisplayName: "Cashfree Payments",
		DocsURL:   "https://www.cashfree.com/docs/payments/online/webhooks/signature-verification",
		EventType: "{json:type}", Headers: []string{"x-webhook-signature", "x-webhook-timestamp"},
		Variants: signedBy(base64Body("x-webhook-signature", ""), "{header:x-webhook-timestamp}{body}"),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://www.cashfree.com/docs/api-reference/webhooks/reliability-and-operations"},
		SetUp:   []string{"Put the secret key of your Payment Gateway account into the Secret."},
	}},
	{Preset: Preset{
		Name: "worldline", DisplayName: "Worldline", Aliases: []string{"ingenico", "worldline-direct"},
		DocsURL:    "https://docs.connect.worldline-solutions.com/documentation/webhooks/",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		Variants:  base64Body("X-GCS-Signature", ""),
		Handshake: "GET with X-GCS-Webhooks-Endpoint-Verification: the value is answered as text",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(36*time.Hour, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:merchantId}", "{json:type}"},
		Sources:         []string{"https://docs.connect.worldline-solutions.com/documentation/webhooks/event-structure/"},
		SetUp: []string{
			"Configuration Center, Webhooks. Generate a key and put the webhooks key secret into the Secret.",
		},
	}, greet: greetWorldline, handshakeMethods: []string{"GET"}},
	{Preset: Preset{
		Name: "orb", DisplayName: "Orb", DocsURL: "https://docs.withorb.com/integrations-and-exports/webhooks",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		Variants: signedBy(hexBody("X-Orb-Signature", "v1="), "v1:{header:X-Orb-Timestamp}:{body}"),
		Headers:  []string{"X-Orb-Signature", "X-Orb-Timestamp"},
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:type}"},
		Sources:         []string{"https://docs.withorb.com/integrations-and-exports/webhooks"},
		SetUp:           []string{"Developers, Webhooks, your endpoint. Put the signing secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "pinwheel", DisplayName: "Pinwheel", DocsURL: "https://docs.pinwheelapi.com/public/docs/webhooks",
		DeliveryID: "{json:event_id}", EventType: "{json:event}", IDSigned: true,
		Variants: signedBy(hexBody("x-pinwheel-signature", "v2="), "v2:{header:x-timestamp}:{body}"),
		Headers:  []string{"x-pinwheel-signature", "x-timestamp"},
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:event}"},
		Sources:         []string{"https://docs.pinwheelapi.com/public/docs/webhooks"},
		SetUp:           []string{"The key is your API secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "mollie", DisplayName: "Mollie", DocsURL: "https://docs.mollie.com/reference/webhooks-new", Class: ClassHMAC,
		Headers: []string{mollieSignature}, OptionalOptions: []Option{optionParameter},
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true, AckLimit: 15 * time.Second,
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(26*time.Hour, RetryBytesUnknown),
		Sources: []string{
			"https://docs.mollie.com/reference/webhooks-new",
			"https://docs.mollie.com/reference/webhooks",
			"https://github.com/mollie/mollie-api-php/blob/master/src/Webhooks/SignatureValidator.php",
		},
		SetUp: []string{
			"Developers, Webhooks, Create webhook: put the signing secret into the Secret.",
			"Classic webhooks (webhookUrl of a payment) are not signed: append ?secret=TEXT to the endpoint's URL, and put " +
				"TEXT into the Secret as another key.",
		},
	}, special: newMollie},
}

// affirmVariants are Stripe's form with SHA-512 under v0.
func affirmVariants() []Variant {
	v := listScheme("X-Affirm-Signature", "t", "v0")
	v[0].Scheme.Algorithm = route.AlgorithmHMACSHA512
	return v
}
