package verify

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// presetsMail are e-mail, marketing and customer data.
var presetsMail = []preset{
	{Preset: Preset{
		Name: "hubspot", DisplayName: "HubSpot", Aliases: []string{"hubspot-v3"},
		DocsURL:   "https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation",
		EventType: "{json:[0].subscriptionType}", AckLimit: ackFive,
		OptionalOptions: []Option{optionSignedURL},
		Variants:        hubSpotVariants(),
		Identity:        IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		Sources: []string{"https://developers.hubspot.com/docs/api-reference/webhooks-webhooks-v3/guide"},
		SetUp: []string{
			"Your app, Auth, Client secret: put it into the Secret.",
			"The target URL is signed: it must equal the endpoint's URL.",
		},
	}},
	{Preset: Preset{
		Name: "mailgun", DisplayName: "Mailgun",
		// A route forwards a message of up to 25 MB.
		MaxBodyBytes: route.MaxBodyBytesLimit,
		DocsURL:      "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
		Class:        ClassHMAC, EventType: "{json:event-data.event}", DeliveryID: "{json:signature.token}", IDSigned: true,
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(8*time.Hour, RetryBytesIdentical),
		Sources: []string{
			"https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks",
			"https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks",
		},
		SetUp: []string{
			"Send, Sending, Webhooks, HTTP webhook signing key: put it into the Secret.",
			"Mailgun signs a token, not the event data: the token is the delivery id.",
		},
	}, special: newMailgun},
	{Preset: Preset{
		Name: "postmark", DisplayName: "Postmark", DocsURL: "https://postmarkapp.com/developer/webhooks/webhooks-overview",
		// The attachments of an inbound message have up to 35 MB.
		MaxBodyBytes: route.MaxBodyBytesLimit,
		EventType:    "{json:RecordType}", Variants: basicAuth(),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(11*time.Hour, RetryBytesUnknown),
		Sources: []string{"https://postmarkapp.com/developer/webhooks/webhooks-overview"},
		SetUp:   []string{"Server, Webhooks, Add webhook, Basic auth credentials. Put user:password into the Secret."},
	}},
	{Preset: Preset{
		Name: "sparkpost", DisplayName: "SparkPost", DocsURL: "https://developers.sparkpost.com/api/webhooks/",
		DeliveryID: "{header:X-MessageSystems-Batch-ID}", AckLimit: ackTen, Variants: basicAuth(),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(8*time.Hour, RetryBytesUnknown),
		Sources: []string{"https://developers.sparkpost.com/api/webhooks/"},
		SetUp:   []string{"Webhooks, Create, Authentication: Basic Auth. Put user:password into the Secret."},
	}},
	{Preset: Preset{
		Name: "chargebee", DisplayName: "Chargebee", DocsURL: "https://apidocs.chargebee.com/docs/api/webhooks",
		DeliveryID: "{json:id}", EventType: "{json:event_type}", Variants: basicAuth(),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(3*day+7*time.Hour, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:event_type}"},
		Sources: []string{
			"https://www.chargebee.com/docs/2.0/webhook_settings.html",
			"https://apidocs.chargebee.com/docs/api/events",
		},
		SetUp: []string{
			"Settings, Configure Chargebee, Webhooks, Protect with basic authentication. Put user:password into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "mixpanel", DisplayName: "Mixpanel", DocsURL: "https://docs.mixpanel.com/docs/cohort-sync/webhooks",
		EventType: "{json:action}", Variants: basicAuth(),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://docs.mixpanel.com/docs/cohort-sync/webhooks"},
		SetUp:   []string{"Data Management, Integrations, Custom Webhook. Put user:password into the Secret."},
	}},
	{Preset: Preset{
		Name: "mailchimp", DisplayName: "Mailchimp audiences",
		Aliases: []string{"mailchimp-audience", "mailchimp-marketing"},
		DocsURL: "https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/", Class: ClassStatic,
		OptionalOptions: []Option{optionParameter}, AckLimit: ackTen,
		Handshake: "GET with the right secret in the URL is answered 200",
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/"},
		SetUp:   urlSecretSteps("Audience, Settings, Webhooks, Create New Webhook."),
	}, special: newQueryToken, answer: answerGET, handshakeMethods: []string{"GET"}},
	{Preset: Preset{
		Name: "customer-io", DisplayName: "Customer.io", Aliases: []string{"customerio"},
		DocsURL:    "https://docs.customer.io/journeys/webhooks/",
		DeliveryID: "{json:event_id}", EventType: "{json:object_type}.{json:metric}", IDSigned: true,
		AckLimit: 4 * time.Second,
		Variants: timedBy(hexBody("X-CIO-Signature", ""), "X-CIO-Timestamp", route.UnitSeconds, "v0:{timestamp}:{body}"),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:object_type}", "{json:metric}"},
		Sources:         []string{"https://docs.customer.io/api/webhooks", "https://docs.customer.io/journeys/webhooks/"},
		SetUp: []string{
			"Integrations, Reporting Webhooks, your webhook. Put the webhook signing key into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "klaviyo", DisplayName: "Klaviyo",
		DocsURL:  "https://developers.klaviyo.com/en/docs/working_with_system_webhooks",
		Headers:  []string{"Klaviyo-Signature", "Klaviyo-Timestamp"},
		Variants: signedBy(hexBody("Klaviyo-Signature", ""), "{body}{header:Klaviyo-Timestamp}"),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://developers.klaviyo.com/en/docs/working_with_system_webhooks"},
		SetUp:   []string{"Give secret_key when the webhook is created; put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "segment", DisplayName: "Segment", Aliases: []string{"twilio-segment"},
		DocsURL:    "https://segment.com/docs/connections/destinations/catalog/webhooks/",
		DeliveryID: "{json:messageId}", EventType: "{json:type}", IDSigned: true, AckLimit: ackFive,
		Variants: sha1Body("X-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(4*time.Hour, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:type}"},
		Sources: []string{
			"https://segment.com/docs/connections/spec/common/",
			"https://segment.com/docs/connections/destinations/catalog/webhooks/",
		},
		SetUp: []string{"Destination Webhooks, Settings, Shared Secret: put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "airship", DisplayName: "Airship", DocsURL: "https://docs.airship.com/api/ua/#schemas-webhook",
		Variants:    timedBy(hexBody("X-UA-Signature", ""), "X-UA-Timestamp", route.UnitSeconds, "{timestamp}:{body}"),
		Unconfirmed: "by independent receivers of its webhooks only: header names and the signed text",
		Identity:    IdentityRequest, Evidence: EvidenceInferred, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://docs.airship.com/api/ua/#schemas-webhook"},
		SetUp:   []string{"Put the hash key that Airship shows for the webhook into the Secret."},
	}},
	{Preset: Preset{
		Name: "castle", DisplayName: "Castle", DocsURL: "https://docs.castle.io/docs/webhooks",
		EventType: "{json:type}", Variants: base64Body("X-Castle-Signature", ""),
		Identity: IdentityNone, Evidence: EvidenceInferred, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://docs.castle.io/docs/webhooks"},
		SetUp:   []string{"The key is the API secret: put it into the Secret."},
	}},
	{Preset: Preset{
		Name: "dub", DisplayName: "Dub", DocsURL: "https://dub.co/docs/concepts/webhooks/verify-signature",
		DeliveryID: "{json:id}", EventType: "{json:event}", IDSigned: true, Variants: hexBody("Dub-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:event}"},
		Sources:         []string{"https://dub.co/docs/concepts/webhooks/introduction"},
		SetUp:           []string{"Settings, Webhooks, your webhook. Put its secret into the Secret."},
	}},
}

// hubSpotVariants sign the URL with some of its escapes decoded, as documented,
// or as it is, as the provider's library for Node does.
func hubSpotVariants() []Variant {
	var both []Variant
	for _, content := range []string{"{method}{decodedURL}{body}{timestamp}", "{method}{url}{body}{timestamp}"} {
		both = append(both, timedBy(base64Body("X-HubSpot-Signature-v3", ""), "X-HubSpot-Request-Timestamp",
			route.UnitMilliseconds, content)...)
	}
	return both
}
