package verify

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// presetsOperations are monitoring, identity and cloud platforms.
var presetsOperations = []preset{
	{Preset: Preset{
		Name: "pagerduty", DisplayName: "PagerDuty", Aliases: []string{"pagerduty-v3"},
		DocsURL:    "https://developer.pagerduty.com/docs/verifying-webhook-signatures",
		DeliveryID: "{json:event.id}", EventType: "{json:event.event_type}", IDSigned: true,
		AckLimit: ackFive, Variants: listBody("X-PagerDuty-Signature", "v1"),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(2*day, RetryBytesUnknown),
		DistinguishedBy: []string{"{header:X-Webhook-Id}"},
		Sources: []string{
			"https://developer.pagerduty.com/docs/webhooks-overview#webhook-payload",
			"https://developer.pagerduty.com/docs/webhooks-behavior",
		},
		SetUp: []string{"Integrations, Generic Webhooks (v3), New Webhook. Put the signing secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "sentry", DisplayName: "Sentry",
		DocsURL:    "https://docs.sentry.io/organization/integrations/integration-platform/webhooks/",
		DeliveryID: "{header:Request-ID}", EventType: "{header:Sentry-Hook-Resource}.{json:action}",
		AckLimit: time.Second, Variants: hexBody("Sentry-Hook-Signature", ""),
		Identity: IdentityNone, Evidence: EvidenceSDK, Retries: retried(0, RetryBytesResigned),
		Sources: []string{
			"https://github.com/getsentry/sentry/blob/master/src/sentry/sentry_apps/api/serializers/app_platform_event.py",
		},
		SetUp: []string{"Settings, Custom Integrations, your integration. Put the client secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "grafana", DisplayName: "Grafana Alerting", Aliases: []string{"grafana-alerting"},
		DocsURL:   "https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/",
		EventType: "{json:status}", Variants: hexBody("X-Grafana-Alerting-Signature", ""),
		OptionalOptions: []Option{
			{"signatureHeader", "name of the signature header, if it was changed in Grafana"},
			{"timestampHeader", "name of the timestamp header, if one was set in Grafana; it is signed then"},
		},
		Identity: IdentityRequest, Evidence: EvidenceSDK, Retries: retried(0, RetryBytesResigned),
		Sources: []string{"https://github.com/grafana/alerting/blob/main/http/hmac.go"},
		SetUp: []string{
			"Alerting, Contact points, Webhook, HMAC Signature. Fill in Secret; put the same text into the Secret.",
			"If you set a timestamp header (recommended), give its name as the option timestampHeader, and set " +
				"source.toleranceSeconds: Grafana has no replay window of its own.",
		},
	}, adapt: adaptGrafana},
	{Preset: Preset{
		Name: "datadog", DisplayName: "Datadog", DocsURL: "https://docs.datadoghq.com/integrations/webhooks/",
		Headers: []string{"Authorization"}, OptionalOptions: []Option{optionHeader},
		Variants: token("Authorization", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://docs.datadoghq.com/integrations/webhooks/"},
		SetUp: []string{
			"Integrations, Webhooks, New. Custom headers: {\"Authorization\": \"a random string\"}; put " +
				"that string into the Secret.",
			"Another header's name can be given as the option header.",
		},
	}, adapt: adaptHeader},
	{Preset: Preset{
		Name: "mongodb-atlas", DisplayName: "MongoDB Atlas", Aliases: []string{"mongodb"},
		DocsURL:   "https://www.mongodb.com/docs/atlas/tutorial/third-party-service-integrations/",
		EventType: "{json:eventTypeName}",
		Variants:  one(bodyMAC(route.AlgorithmHMACSHA1, "X-MMS-Signature", "", route.EncodingBase64)),
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://www.mongodb.com/docs/atlas/tutorial/third-party-service-integrations/"},
		SetUp: []string{
			"Project, Integrations, Webhook Settings. Fill in the webhook secret; put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "workos", DisplayName: "WorkOS", DocsURL: "https://workos.com/docs/events/data-syncing/webhooks",
		DeliveryID: "{json:id}", EventType: "{json:event}", IDSigned: true,
		Variants: workosVariants(),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(3*day, RetryBytesUnknown),
		Sources: []string{
			"https://workos.com/docs/webhooks",
			"https://workos.com/docs/events/data-syncing/webhooks",
		},
		SetUp: []string{"Developer, Webhooks, your endpoint. Put the signing secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "okta", DisplayName: "Okta", DocsURL: "https://developer.okta.com/docs/concepts/event-hooks/",
		DeliveryID: "{json:eventId}", EventType: "{json:data.events[0].eventType}", AckLimit: ackShort,
		OptionalOptions: []Option{optionHeader}, Headers: []string{"Authorization"},
		Variants:  token("Authorization", ""),
		Handshake: "GET with X-Okta-Verification-Challenge: the value is answered as JSON",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:source}"},
		Sources: []string{
			"https://developer.okta.com/docs/concepts/event-hooks/#ongoing-event-delivery",
			"https://developer.okta.com/docs/concepts/event-hooks/#timeout-and-retry",
		},
		SetUp: []string{
			"Workflow, Event Hooks, Create Event Hook. Authentication field: Authorization.",
			"Authentication secret: a random string; put the same text into the Secret. Then Verify.",
		},
	}, adapt: adaptHeader, greet: greetOkta, handshakeMethods: []string{"GET"}},
	{Preset: Preset{
		Name: "auth0", DisplayName: "Auth0 log streams", Aliases: []string{"auth0-log-stream", "auth0-log-streams"},
		DocsURL: "https://auth0.com/docs/customize/log-streams/custom-log-streams",
		Headers: []string{"Authorization"}, Variants: token("Authorization", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://auth0.com/docs/customize/log-streams/custom-log-streams"},
		SetUp: []string{
			"Monitoring, Streams, Custom Webhook. Authorization Token: a random string; put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "microsoft-graph", DisplayName: "Microsoft Graph", Aliases: []string{"msgraph", "ms-graph", "graph"},
		Class:     ClassStatic,
		DocsURL:   "https://learn.microsoft.com/graph/change-notifications-delivery-webhooks",
		EventType: "{json:value[0].changeType} | {json:value[0].lifecycleEvent}", AckLimit: ackShort,
		Handshake: "POST with the parameter validationToken: it is answered as text",
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(4*time.Hour, RetryBytesUnknown),
		Sources: []string{"https://learn.microsoft.com/graph/change-notifications-delivery-webhooks"},
		SetUp: []string{
			"Give clientState when the subscription is created; put the same text into the Secret.",
			"notificationUrl and lifecycleNotificationUrl: the endpoint's URL.",
		},
	}, special: bodyToken("value", "clientState"), greet: greetGraph},
	{Preset: Preset{
		Name: "google-channel", DisplayName: "Google Drive and Calendar push notifications",
		Aliases:    []string{"google-drive", "google-calendar", "google-channels", "google-workspace"},
		DocsURL:    "https://developers.google.com/workspace/drive/api/guides/push",
		DeliveryID: "{header:X-Goog-Channel-ID}-{header:X-Goog-Message-Number}",
		EventType:  "{header:X-Goog-Resource-State}",
		Variants:   token("X-Goog-Channel-Token", ""),
		Identity:   IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{
			"{header:X-Goog-Resource-ID}",
			"{header:X-Goog-Resource-State}",
			"{header:X-Goog-Channel-Expiration}",
		},
		Sources: []string{
			"https://developers.google.com/workspace/drive/api/guides/push#understanding-drive-api-notification-events",
			"https://developers.google.com/workspace/calendar/api/guides/push",
		},
		SetUp: []string{
			"Give token in the watch request; put the same text into the Secret. Channels expire: renew them.",
		},
	}},
	{Preset: Preset{
		Name: "cloudevents", DisplayName: "CloudEvents over HTTP", Class: ClassStatic, Headers: []string{"Authorization"},
		DocsURL:    "https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md",
		DeliveryID: "{header:ce-id} | {json:id}", EventType: "{header:ce-type} | {json:type}",
		Handshake: "OPTIONS with WebHook-Request-Origin is answered with WebHook-Allowed-Origin and -Rate",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{header:ce-source}", "{json:source}"},
		Sources: []string{
			"https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md#id",
			"https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md",
		},
		SetUp: []string{
			"The sender gives the token as Authorization: Bearer, or as the parameter access_token; put it into the Secret.",
		},
	}, special: newAccessToken, greet: greetOptions, handshakeMethods: []string{"OPTIONS"}},
	{Preset: Preset{
		Name: "sharepoint", DisplayName: "SharePoint lists", Class: ClassStatic,
		DocsURL:   "https://learn.microsoft.com/sharepoint/dev/apis/webhooks/overview-sharepoint-webhooks",
		AckLimit:  ackFive,
		Handshake: "POST with the parameter validationtoken: it is answered as text",
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(25*time.Minute, RetryBytesUnknown),
		Sources: []string{"https://learn.microsoft.com/sharepoint/dev/apis/webhooks/overview-sharepoint-webhooks"},
		SetUp: []string{
			"Give clientState when the subscription is created; put the same text into the Secret.",
			"notificationUrl: the endpoint's URL. Subscriptions expire after at most 180 days: renew them.",
		},
	}, special: bodyToken("value", "clientState"), greet: greetGraph},
	{Preset: Preset{
		Name: "alertmanager", DisplayName: "Prometheus Alertmanager", Aliases: []string{"prometheus-alertmanager"},
		DocsURL: "https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
		Class:   ClassStatic, Headers: []string{"Authorization"}, EventType: "{json:status}",
		OptionalOptions: []Option{optionHeader},
		Identity:        IdentityNone, Evidence: EvidenceSDK, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{
			"https://github.com/prometheus/alertmanager/blob/main/notify/webhook/webhook.go",
			"https://github.com/prometheus/alertmanager/blob/main/docs/configuration.md",
		},
		SetUp: []string{
			"receivers, webhook_configs, http_config, authorization: credentials; put the same text into the Secret.",
			"Or basic_auth: put user:password into the Secret.",
		},
	}, special: newAuthorization},
}

// workosVariants are Stripe's form with milliseconds.
func workosVariants() []Variant {
	v := listScheme("WorkOS-Signature", "t", "v1")
	v[0].Scheme.Timestamp.Unit = route.UnitMilliseconds
	return v
}
