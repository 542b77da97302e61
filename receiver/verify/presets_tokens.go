package verify

import (
	"net/http"
	"time"
)

var (
	jwksOption     = Option{optionJWKS, "the issuer's JSON Web Key Set, or one key, instead of fetching it"}
	audienceOption = Option{optionAudience, "the audience that the tokens are for"}
)

// presetsTokens are providers that send JSON Web Tokens.
func presetsTokens() []preset {
	return []preset{
		{Preset: Preset{
			Name: "google-pubsub", DisplayName: "Google Cloud Pub/Sub push", Aliases: []string{"pubsub", "gcp-pubsub"},
			// A message has up to 10 MB, in base64.
			MaxBodyBytes: 14 << 20,
			DocsURL:      "https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions",
			Class:        ClassJWT, Secret: SecretOptional, Headers: []string{"Authorization"},
			DeliveryID: "{json:message.messageId} | {json:message.message_id} | {header:x-goog-pubsub-message-id}",
			EventType:  "{json:message.attributes.eventType}",
			AckLimit:   10 * time.Second,
			NeededOptions: []Option{audienceOption, {"email", "the service account that pushes; any Google account can get a " +
				"token with your audience"}},
			OptionalOptions: []Option{jwksOption, {publicKeyName, "the public key"}},
			Identity:        IdentityID, Evidence: EvidenceDocumented, Retries: retried(7*day, RetryBytesResigned),
			DistinguishedBy: []string{"{json:subscription}", "{header:x-goog-pubsub-subscription-name}"},
			Sources: []string{
				"https://cloud.google.com/pubsub/docs/push",
				"https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage",
				"https://cloud.google.com/pubsub/docs/payload-unwrapping",
			},
			SetUp: []string{
				"Create the push subscription with authentication, a service account and an audience.",
				"Set options.audience and options.email to the same values; the token does not sign the body.",
			},
		}, special: newPubSub},
		{Preset: Preset{
			Name: "plaid", DisplayName: "Plaid",
			DocsURL: "https://plaid.com/docs/api/webhooks/webhook-verification/",
			Class:   ClassJWT, BodySigned: true, Secret: SecretOptional, Headers: []string{"Plaid-Verification"},
			EventType: "{json:webhook_type}.{json:webhook_code}", AckLimit: 10 * time.Second,
			OptionalOptions: []Option{jwksOption, {publicKeyName, "the public key"}},
			Identity:        IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
			Sources: []string{
				"https://plaid.com/docs/api/webhooks/", "https://plaid.com/docs/api/webhooks/webhook-verification/",
			},
			SetUp: []string{
				"Get the key of the token's kid from /webhook_verification_key/get and set it as options.jwks.",
			},
		}, special: newPlaid},
		{Preset: Preset{
			Name: "netlify", DisplayName: "Netlify",
			DocsURL: "https://docs.netlify.com/deploy/deploy-notifications/",
			Class:   ClassJWT, BodySigned: true, Headers: []string{"X-Webhook-Signature"},
			DeliveryID: "{json:id}.{json:state}", EventType: "{header:X-Netlify-Event} | {json:state}",
			Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
			Sources: []string{"https://docs.netlify.com/deploy/deploy-notifications/"},
			SetUp:   []string{"Put the JWS secret token of the outgoing webhook into the Secret."},
		}, special: newNetlify},
		{Preset: Preset{
			Name: "fusionauth", DisplayName: "FusionAuth",
			DocsURL: "https://fusionauth.io/docs/extend/events-and-webhooks/signing",
			Class:   ClassJWT, BodySigned: true, Secret: SecretOptional, Headers: []string{"X-FusionAuth-Signature-JWT"},
			DeliveryID: "{json:event.id}", EventType: "{json:event.type}", IDSigned: true,
			OptionalOptions: []Option{jwksOption, {publicKeyName, "the public key"}},
			Identity:        IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
			DistinguishedBy: []string{"{json:event.tenantId}", "{json:event.type}"},
			Sources: []string{
				"https://fusionauth.io/docs/extend/events-and-webhooks/writing-a-webhook",
				"https://fusionauth.io/docs/extend/events-and-webhooks/signing",
			},
			SetUp: []string{
				"Settings, Webhooks, your webhook, Security, Sign events.",
				"HMAC key: put its text into the Secret. RSA or EC key: set options.publicKey, or options.jwks to the " +
					"text of /.well-known/jwks.json.",
			},
		}, special: newFusionAuth},
		{Preset: Preset{
			Name: "monday", DisplayName: "monday.com", Aliases: []string{"monday-com", "mondaycom"},
			DocsURL: "https://developer.monday.com/apps/docs/authorization-header",
			Class:   ClassJWT, Headers: []string{"Authorization"},
			DeliveryID: "{json:event.triggerUuid}", EventType: "{json:event.type} | {json:type}",
			OptionalOptions: []Option{audienceOption},
			Handshake:       "a body with nothing but a challenge, without a token or with a valid one: echoed as JSON",
			Identity:        IdentityNone, Evidence: EvidenceInferred, Retries: retried(30*time.Minute, RetryBytesUnknown),
			Sources: []string{"https://developer.monday.com/api-reference/reference/webhooks"},
			SetUp: []string{
				"Put the app's signing secret into the Secret (lifecycle webhooks: the client secret).",
			},
		}, special: newMonday, greet: greetMonday, answer: answerMonday},
		{Preset: Preset{
			Name: "azure-event-grid", DisplayName: "Azure Event Grid", Aliases: []string{"event-grid", "eventgrid"},
			DocsURL: "https://learn.microsoft.com/azure/event-grid/secure-webhook-delivery",
			Class:   ClassJWT, Secret: SecretOptional, Headers: []string{"Authorization"},
			DeliveryID: "{header:ce-id} | {json:id} | {json:[0].id}",
			EventType:  "{header:ce-type} | {json:type} | {json:[0].eventType}",
			AckLimit:   30 * time.Second,
			OptionalOptions: []Option{
				audienceOption, {optionTenantID, "the Microsoft Entra tenant that issues the tokens"},
				{optionIssuer, "the issuer, when it is not the tenant's default"},
				{optionApplicationID, "the application that asks for the token; needed with an audience"}, jwksOption,
				{publicKeyName, "the public key"},
				{optionQueryParameter, "the query parameter with the secret, without an audience; default " + defaultParameter},
			},
			Handshake: "SubscriptionValidation: the code is answered as validationResponse; " +
				"OPTIONS with WebHook-Request-Origin: the origin is allowed",
			Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
			DistinguishedBy: []string{
				"{header:ce-source}", "{json:source}", "{json:[0].topic}", "{json:[0].source}",
				"{header:aeg-subscription-name}",
			},
			Sources: []string{
				"https://learn.microsoft.com/azure/event-grid/event-schema",
				"https://learn.microsoft.com/azure/event-grid/cloud-event-schema",
				"https://learn.microsoft.com/azure/event-grid/delivery-and-retry",
			},
			SetUp: []string{
				"With Microsoft Entra: set options.audience, options.tenantID and options.applicationID, which is " +
					eventGridApplication + " for Event Grid in the public cloud.",
				"Without: append ?code=<secret> to the endpoint's URL in the event subscription.",
			},
		}, second: "[1].id", special: newEventGrid, greet: greetOptions, answer: answerEventGrid,
			handshakeMethods: []string{http.MethodOptions}},
		{Preset: Preset{
			Name: "oidc", DisplayName: "OpenID Connect bearer token",
			DocsURL: "https://openid.net/specs/openid-connect-discovery-1_0.html",
			Class:   ClassJWT, Secret: SecretOptional, Headers: []string{"Authorization"},
			Methods:    []string{http.MethodPost, http.MethodPut, http.MethodPatch},
			DeliveryID: "{header:ce-id}", EventType: "{header:ce-type}",
			NeededOptions: []Option{
				{optionIssuer, "the issuer, an https URL, as the iss claim has it"}, audienceOption,
				{optionClaims, "a CEL condition on the token's claims, such as claims.sub == \"ci\""},
			},
			OptionalOptions: []Option{jwksOption, {publicKeyName, "the public key"}},
			Identity:        IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
			DistinguishedBy: []string{"{header:ce-source}"},
			Sources:         []string{"https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md#id"},
			SetUp: []string{
				"For senders that get tokens from an OpenID Connect issuer of yours.",
				"The token does not sign the body; options.claims says who may send.",
			},
		}, special: newOIDC},
	}
}
