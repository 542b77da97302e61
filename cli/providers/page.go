package providers

import (
	"fmt"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/verify"
)

// page tells how to set one provider up.
func page(preset *verify.Preset) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s (%s)\n%s\n\n", preset.DisplayName, preset.Name, preset.DocsURL)
	facts(&text, preset)
	options(&text, preset)
	if len(preset.SetUp) > 0 {
		text.WriteString("\nSet up:\n")
		for i, step := range preset.SetUp {
			fmt.Fprintf(&text, "  %d. %s\n", i+1, step)
		}
	}
	if len(preset.Sources) > 0 {
		text.WriteString("\nKnown from:\n")
		for _, source := range preset.Sources {
			fmt.Fprintf(&text, "  %s\n", source)
		}
	}
	text.WriteString("\nApply:\n")
	for line := range strings.Lines(example(preset)) {
		text.WriteString("  " + line)
	}
	return text.String()
}

func facts(text *strings.Builder, preset *verify.Preset) {
	for _, fact := range [][2]string{
		{"Also called", strings.Join(preset.Aliases, ", ")},
		{"Proof", string(preset.Class)},
		{"Headers", strings.Join(preset.Headers, ", ")},
		{"Delivery id", preset.DeliveryID},
		{"Event type", preset.EventType},
		{"Methods", strings.Join(preset.Methods, ", ")},
		{"Largest body", fmt.Sprintf("%d MiB (spec.maxBodyBytes)", preset.MaxBodyBytes>>20)},
		{"Replay window", duration(preset.Tolerance)},
		{"Told apart by", preset.ToldApartBy()},
		{"Identity", string(preset.Identity) + " (" + string(preset.Evidence) + ")"},
		{"Retried", preset.RetriedWords()},
		{"A duplicate is", preset.DuplicateWords()},
		{"Waits for", duration(preset.AckLimit)},
		{"Handshake", preset.Handshake},
		{"Secret", string(preset.Secret)},
	} {
		if fact[1] != "" {
			fmt.Fprintf(text, "%-16s%s\n", fact[0]+":", fact[1])
		}
	}
}

// duration drops the zero minutes and seconds that String writes out.
func duration(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

func options(text *strings.Builder, preset *verify.Preset) {
	if len(preset.NeededOptions)+len(preset.OptionalOptions) == 0 {
		return
	}
	text.WriteString("\nOptions (spec.source.options):\n")
	for _, option := range preset.NeededOptions {
		fmt.Fprintf(text, "  %s (required): %s\n", option.Name, option.Description)
	}
	for _, option := range preset.OptionalOptions {
		fmt.Fprintf(text, "  %s: %s\n", option.Name, option.Description)
	}
}

// example is the smallest endpoint of the provider.
func example(preset *verify.Preset) string {
	var text strings.Builder
	fmt.Fprintf(&text, `apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata:
  name: %s
spec:
  source:
    provider: %s
`, preset.Name, preset.Name)
	if len(preset.NeededOptions) > 0 {
		text.WriteString("    options:\n")
		for _, option := range preset.NeededOptions {
			fmt.Fprintf(&text, "      %s: %s\n", option.Name, placeholder(option))
		}
	}
	if needsSecret(preset) {
		fmt.Fprintf(&text, "  secretRef:\n    name: %s-webhook\n", preset.Name)
	}
	text.WriteString("  targets:\n  - service:\n      name: my-service\n      port: 80\n")
	return text.String()
}

// needsSecret leaves the Secret out of the example where the provider's
// published keys or an option take its place.
func needsSecret(preset *verify.Preset) bool {
	return preset.Secret == verify.SecretRequired ||
		preset.Secret == verify.SecretOptional && len(preset.NeededOptions) == 0 && preset.Name != "aws-sns"
}

// placeholder stands for a value of the option's form.
func placeholder(option verify.Option) string {
	switch option.Name {
	case "issuer":
		return "https://issuer.example.com"
	case "claims":
		return `claims.sub == "replace-me"`
	}
	return "replace-me"
}
