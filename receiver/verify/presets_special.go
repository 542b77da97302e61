package verify

import (
	"net/http"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

var (
	publicKeyRow   = Option{publicKeyName, "the provider's public key, as its console shows it"}
	certificateRow = Option{optionCertificate, "the provider's PEM certificate, instead of fetching it"}
)

// presetsSpecial are providers whose schemes need code.
func presetsSpecial() []preset {
	return append(presetsForms(), presetsAsymmetric()...)
}

// presetsForms sign URLs, form parameters or a canonical request.
func presetsForms() []preset {
	return []preset{
		{Preset: Preset{
			Name: "twilio", DisplayName: "Twilio",
			DocsURL: "https://www.twilio.com/docs/usage/webhooks/webhooks-security",
			Class:   ClassHMAC, BodySigned: true, Headers: []string{"X-Twilio-Signature"},
			Methods:    []string{http.MethodPost, http.MethodGet},
			DeliveryID: "{header:I-Twilio-Idempotency-Token}", AckLimit: 15 * time.Second,
			Identity: IdentityID, Evidence: EvidenceSDK, Retries: retried(15*time.Second, RetryBytesUnknown),
			Sources: []string{
				"https://github.com/twilio/twilio-agent-connect-python",
				"https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides",
			},
			SetUp: []string{
				"Put the account's auth token into the Secret.",
				"The signature covers the URL: set options.url when Twilio calls another one than status.url.",
			},
		}, special: newTwilio},
		{Preset: Preset{
			Name: "mandrill", DisplayName: "Mailchimp Transactional (Mandrill)", Aliases: []string{"mailchimp-transactional"},
			// An inbound message has up to 25 MB.
			MaxBodyBytes: route.MaxBodyBytesLimit,
			DocsURL:      "https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/",
			Class:        ClassHMAC, BodySigned: true, Headers: []string{"X-Mandrill-Signature"},
			Handshake: "HEAD, or a form without events, when the webhook is created: 200",
			Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
			Sources: []string{
				"https://mailchimp.com/developer/transactional/guides/track-respond-activity-webhooks/",
			},
			SetUp: []string{
				"Put the webhook's authentication key into the Secret.",
				"The signature covers the URL: set options.url when Mandrill calls another one than status.url.",
			},
		}, special: newMandrill, greet: greetMandrill, handshakeMethods: []string{http.MethodHead}},
		{Preset: Preset{
			Name: "braintree", DisplayName: "Braintree",
			DocsURL: "https://developer.paypal.com/braintree/docs/guides/webhooks/parse",
			Class:   ClassHMAC, BodySigned: true,
			NeededOptions: []Option{{publicKeyName, "the merchant's public key, which names the signature to check"}},
			Handshake:     "GET with bt_challenge: answered with the challenge signed by the private key",
			AckLimit:      30 * time.Second,
			Identity:      IdentityNone, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
			Sources: []string{"https://developer.paypal.com/braintree/docs/guides/webhooks/parse"},
			SetUp:   []string{"Put the private key into the Secret and the public key into options.publicKey."},
		}, special: newBraintree, greet: greetBraintree, handshakeMethods: []string{http.MethodGet}},
		{Preset: Preset{
			Name: "contentful", DisplayName: "Contentful",
			DocsURL: "https://www.contentful.com/developers/docs/webhooks/request-verification/",
			Class:   ClassHMAC, BodySigned: true, Headers: []string{contentfulSignature, contentfulSigned, contentfulTimestamp},
			Methods:    []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet},
			DeliveryID: "{header:X-Contentful-Idempotency-Key}", EventType: "{header:X-Contentful-Topic}",
			Tolerance: 30 * time.Second, FutureTolerance: 30 * time.Second, AckLimit: 30 * time.Second,
			Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(time.Minute, RetryBytesResigned),
			DistinguishedBy: []string{"{header:X-Contentful-Topic}", "{header:X-Contentful-Webhook-Name}"},
			Sources: []string{
				"https://www.contentful.com/developers/changelog/idempotency-key-headers-for-webhook-requests/",
				"https://www.contentful.com/developers/docs/webhooks/request-verification/",
			},
			SetUp: []string{
				"Put the signing secret of the space's webhook settings into the Secret.",
				"The signature covers the path: set options.url when Contentful calls another one than status.url.",
			},
		}, special: newContentful},
	}
}

// presetsAsymmetric sign with a private key.
func presetsAsymmetric() []preset {
	return []preset{
		{Preset: Preset{
			Name: "sendgrid", DisplayName: "SendGrid Event Webhook", Aliases: []string{"twilio-sendgrid"},
			DocsURL: "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features",
			Class:   ClassECDSA, BodySigned: true, Secret: SecretOptional,
			Headers:    []string{sendGridSignature, sendGridTimestamp},
			DeliveryID: "{json:[0].sg_event_id}", EventType: "{json:[0].event}", IDSigned: true,
			OptionalOptions: []Option{publicKeyRow},
			Identity:        IdentityRequest, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
			Sources: []string{"https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"},
			SetUp:   []string{"Set options.publicKey to the verification key of the signed event webhook."},
		}, special: newSendGrid, publicKeyOption: publicKeyName},
		{Preset: Preset{
			Name: "paypal", DisplayName: "PayPal",
			DocsURL: "https://developer.paypal.com/api/rest/webhooks/rest/",
			Class:   ClassCertificate, Secret: SecretOptional,
			Headers: []string{
				"Paypal-Transmission-Sig", "Paypal-Transmission-Id", "Paypal-Transmission-Time", "Paypal-Cert-Url",
				"Paypal-Auth-Algo",
			},
			DeliveryID: "{header:Paypal-Transmission-Id}", EventType: "{json:event_type}", IDSigned: true,
			Tolerance: 3 * day, FutureTolerance: defaultTolerance,
			NeededOptions:   []Option{{"webhookID", "the webhook's id as the dashboard shows it; it is signed"}},
			OptionalOptions: []Option{certificateRow, publicKeyRow},
			Identity:        IdentityID, Evidence: EvidenceDocumented, Retries: retried(3*day, RetryBytesUnknown),
			Sources: []string{"https://developer.paypal.com/api/rest/webhooks/rest/"},
			SetUp: []string{
				"Set options.webhookID. The certificate is fetched from paypal.com, or pinned in options.certificate.",
				"PayPal signs a checksum of the body, which anybody can keep while changing the body: have the target " +
					"get the object from PayPal's API before it acts.",
			},
		}, special: newPayPal},
		{Preset: Preset{
			Name: "aws-sns", DisplayName: "Amazon SNS", Aliases: []string{"sns", "amazon-sns"},
			DocsURL: "https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
			Class:   ClassCertificate, BodySigned: true, Secret: SecretOptional,
			DeliveryID: "{json:MessageId}", EventType: "{json:Type}", IDSigned: true,
			AckLimit: 15 * time.Second,
			OptionalOptions: []Option{
				certificateRow, publicKeyRow, {"topicARN", "accept only messages of this topic"},
			},
			Handshake: "SubscriptionConfirmation: after verification its SubscribeURL is visited",
			Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(6*time.Hour, RetryBytesUnknown),
			DistinguishedBy: []string{"{json:TopicArn}", "{json:Type}"},
			Sources: []string{
				"https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html",
				"https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html",
			},
			SetUp: []string{
				"Subscribe the endpoint's URL to the topic over HTTPS, with raw message delivery off.",
				"Set options.topicARN: without it the messages of any topic of any account pass.",
			},
		}, special: newAmazonSNS},
		{Preset: Preset{
			Name: "travis", DisplayName: "Travis CI", Aliases: []string{"travis-ci"},
			DocsURL: "https://docs.travis-ci.com/user/notifications/#configuring-webhook-notifications",
			Class:   ClassCertificate, BodySigned: true, Secret: SecretOptional, Headers: []string{"Signature"},
			DeliveryID: "{json:id}.{json:state}", EventType: "{json:state}", IDSigned: true,
			OptionalOptions: []Option{publicKeyRow},
			Identity:        IdentityNone, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
			Sources: []string{"https://docs.travis-ci.com/user/notifications/#configuring-webhook-notifications"},
			SetUp:   []string{"Nothing to configure: travis-ci.com's key is fetched, or pinned in options.publicKey."},
		}, special: newTravis},
	}
}
