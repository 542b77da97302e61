package sign

import (
	"embed"
	"io/fs"
	"slices"
	"strings"

	"github.com/postern-dev/postern/receiver/verify"
)

//go:embed all:samples
var sampleFiles embed.FS

// defaults are the samples sent when no type is asked for.
var defaults = map[string]string{
	"github": "push", "gitlab": "Push Hook", "stripe": "payment_intent.succeeded", "slack": "app_mention",
	"shopify": "orders/create", "standard-webhooks": "user.created", "adyen-payments": "AUTHORISATION",
}

// Samples lists the event types with a realistic body, sorted; the default one
// of a provider comes with its name in [DefaultSample].
func Samples(provider string) []string {
	preset, ok := verify.Lookup(provider)
	if !ok {
		return nil
	}
	var types []string
	root := "samples/" + preset.Name
	_ = fs.WalkDir(sampleFiles, root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			types = append(types, strings.TrimSuffix(strings.TrimPrefix(path, root+"/"), ".json"))
		}
		return err
	})
	slices.Sort(types)
	return types
}

// DefaultSample is the event type that is sent when none is asked for; empty
// for providers with a made-up body.
func DefaultSample(provider string) string {
	preset, _ := verify.Lookup(provider)
	return defaults[preset.Name]
}

// sample returns the body for an event type. It is made up where no realistic
// one is at hand.
func sample(preset *verify.Preset, eventType string) (body []byte, name string, madeUp bool) {
	if eventType == "" {
		eventType = defaults[preset.Name]
	}
	if eventType != "" {
		if data, err := sampleFiles.ReadFile("samples/" + preset.Name + "/" + eventType + ".json"); err == nil {
			return []byte(strings.TrimSuffix(string(data), "\n")), eventType, false
		}
	}
	// Types such as pull_request stand for the first of pull_request.*.
	for _, known := range Samples(preset.Name) {
		if eventType != "" && strings.HasPrefix(known, eventType+".") {
			return sample(preset, known)
		}
	}
	return []byte(`{"data":{"message":"This is an example event sent by postern send."}}`), eventType, true
}
