package verify

import (
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// The specification, and how Svix, which many senders use, retries.
const (
	standardSpec = "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"
	svixSchedule = "https://docs.svix.com/retries"
)

// How long senders retry. Each attempt is signed anew, with a time of its own.
var (
	exampleRetries = retried(76*time.Hour, RetryBytesResigned) // the specification's example
	svixRetries    = retried(28*time.Hour, RetryBytesResigned)
	openAIRetries  = retried(72*time.Hour, RetryBytesResigned)
	otherRetries   = retried(0, RetryBytesResigned)
)

// standardSender is a row for a sender of Standard Webhooks under its own name.
// By the specification all attempts at one message have the same id.
func standardSender(name, display, docs, console string, retries Retries, variants []Variant) preset {
	row := preset{Preset: Preset{
		Name: name, DisplayName: display, DocsURL: docs,
		DeliveryID: idTemplate(variants), EventType: "{json:type}", IDSigned: true,
		Identity: IdentityID, Evidence: EvidenceDocumented, Sources: []string{standardSpec, docs},
		Retries: retries, AckLimit: 15 * time.Second, Variants: variants,
		SetUp: []string{console + " Put the signing secret, as it is shown, into the Secret."},
	}}
	switch {
	case docs == standardSpec:
		row.Sources = []string{standardSpec}
	case retries == svixRetries:
		row.Sources = append(row.Sources, svixSchedule)
	}
	return row
}

// idTemplate names the id headers of all variants.
func idTemplate(variants []Variant) string {
	seen, text := map[string]bool{}, ""
	for _, v := range variants {
		header := v.Scheme.ID.Header
		if seen[header] {
			continue
		}
		seen[header] = true
		if text != "" {
			text += alternatives
		}
		text += "{header:" + header + "}"
	}
	return text
}

// presetsNone is the explicit choice to verify nothing.
var presetsNone = []preset{{Preset: Preset{
	Name: "none", DisplayName: "No verification",
	Secret: SecretNone, Class: ClassNone, Methods: ownMethods,
	DocsURL:  "https://github.com/postern-dev/postern/blob/main/docs/providers.md",
	Identity: IdentityNone, Evidence: EvidenceInferred, Retries: retried(0, RetryBytesUnknown),
	Sources: []string{"https://github.com/postern-dev/postern/blob/main/docs/providers.md"},
	SetUp: []string{
		"Anyone who knows the URL can send events. Restrict allowedIPRanges where the sender allows it.",
	},
}, special: newNothing}}

var (
	webhookNames = standardVariants("webhook", "svix")
	svixNames    = standardVariants("svix", "webhook")
)

// presetsStandard are Standard Webhooks and its senders.
var presetsStandard = []preset{
	withPublicKey(also(standardSender("standard-webhooks", "Standard Webhooks",
		standardSpec, "Your sender's webhook settings.", exampleRetries, webhookNames),
		"standardwebhooks", "standard-webhooks-v1", "standard-webhooks-v1a")),
	withPublicKey(standardSender("svix", "Svix", "https://docs.svix.com/receiving/verifying-payloads/how",
		"The application portal, your endpoint, Signing Secret.", svixRetries, svixNames)),
	standardSender("clerk", "Clerk", "https://clerk.com/docs/guides/development/webhooks/syncing",
		"Configure, Webhooks, Add Endpoint.", svixRetries, svixNames),
	standardSender("resend", "Resend", "https://resend.com/docs/webhooks/verify-webhooks-requests",
		"Webhooks, your webhook, Signing Secret.", svixRetries, svixNames),
	standardSender("stytch", "Stytch", "https://stytch.com/docs/guides/dashboard/webhooks",
		"Webhooks, your endpoint, Signing secret.", svixRetries, svixNames),
	standardSender("vanta", "Vanta", "https://developer.vanta.com/docs/webhooks",
		"Settings, Webhooks, your endpoint, Signing Secret.", svixRetries, svixNames),
	standardSender("incident-io", "incident.io", "https://docs.incident.io/integrations/webhooks",
		"Settings, Webhooks, your endpoint, Signing Secret.", svixRetries, webhookNames),
	standardSender("loops", "Loops", "https://loops.so/docs/webhooks",
		"Settings, Webhooks, Signing secret.", otherRetries, webhookNames),
	standardSender("increase", "Increase", "https://increase.com/documentation/webhooks",
		"Developers, Webhooks, your endpoint.", otherRetries, webhookNames),
	standardSender("replicate", "Replicate", "https://replicate.com/docs/topics/webhooks/verify-webhook",
		"GET /v1/webhooks/default/secret.", otherRetries, webhookNames),
	standardSender("brex", "Brex", "https://developer.brex.com/docs/webhooks/",
		"GET /v1/webhooks/secrets.", otherRetries, webhookNames),
	standardSender("render", "Render", "https://render.com/docs/webhooks",
		"Integrations, Webhooks, your webhook, Signing secret.", otherRetries, webhookNames),
	standardSender("etsy", "Etsy", "https://developers.etsy.com/documentation/essentials/webhooks/",
		"Your app, Webhooks, your endpoint, Signing Secret.", otherRetries, webhookNames),
	standardSender("gemini", "Google Gemini API", "https://ai.google.dev/gemini-api/docs/webhooks",
		"The answer to creating the webhook.", otherRetries, webhookNames),
	standardSender("openai", "OpenAI", "https://platform.openai.com/docs/guides/webhooks",
		"Settings, Project, Webhooks, Create.", openAIRetries, rawStandard()),
	standardSender("polar", "Polar", "https://polar.sh/docs/integrate/webhooks/endpoints",
		"Settings, Webhooks, your endpoint.", otherRetries, polarVariants()),
	standardSender("supabase", "Supabase Auth hooks", "https://supabase.com/docs/guides/auth/auth-hooks",
		"Authentication, Hooks, HTTPS, Generate secret (v1,whsec_…).", otherRetries, supabaseVariants()),
	standardSender("finch", "Finch", "https://developer.tryfinch.com/how-finch-works/webhooks",
		"Webhooks, your endpoint, secret.", otherRetries, finchVariants()),
}

// also gives a row other names.
func also(row preset, aliases ...string) preset {
	row.Aliases = aliases
	return row
}

// withPublicKey lets the key come from the option publicKey as well.
func withPublicKey(row preset) preset {
	row.OptionalOptions, row.publicKeyOption = []Option{optionPublicKey, optionKey}, optionPublicKey.Name
	row.Secret = SecretOptional
	return row
}

// polarVariants use the base64 after whsec_, as the specification says, and the
// key's whole text, as Polar did for keys that are older than 8 September 2026.
func polarVariants() []Variant {
	return []Variant{
		{KeyPrefix: "whsec_", Scheme: standardScheme("webhook", standardKey)},
		{KeyPrefix: "whsec_", Scheme: standardScheme("webhook", rawKey)},
		{Scheme: standardScheme("webhook", rawKey)},
	}
}

// supabaseVariants take keys that name their version.
func supabaseVariants() []Variant {
	return []Variant{
		{KeyPrefix: "v1,whsec_", Scheme: standardScheme("webhook", versionedKey)},
		{Scheme: standardScheme("webhook", standardKey)},
	}
}

// finchVariants are the same scheme under names of its own.
func finchVariants() []Variant {
	s := standardScheme("Finch", standardKey)
	s.ID = route.Field{Header: "Finch-Event-Id"}
	return one(s)
}
