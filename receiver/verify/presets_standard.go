package verify

import "time"

// standardHorizon is how long the example schedule of the specification retries.
const standardHorizon = 76 * time.Hour

// presetsStandard are senders of Standard Webhooks under their own names.
func presetsStandard() []preset {
	return []preset{
		{Preset: Preset{
			Name: "none", DisplayName: "No verification",
			Secret: SecretNone, Class: ClassNone, Methods: []string{"POST", "PUT", "PATCH"},
			SetUp: []string{"Anyone who knows the URL can send events. Restrict allowedIPRanges where the sender allows it."},
		}, special: newNothing},
		{Preset: Preset{
			Name: "standard-webhooks", DisplayName: "Standard Webhooks", Aliases: []string{"standardwebhooks"},
			DocsURL:    "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
			DeliveryID: "{header:webhook-id} | {header:svix-id}", EventType: "{json:type}", IDSigned: true,
			RetryHorizon: standardHorizon, AckLimit: 15 * time.Second,
			Variants: standardVariants(),
			SetUp:    []string{"Put the endpoint's signing secret, whsec_ included, into the Secret; or the public key whpk_."},
		}},
	}
}
