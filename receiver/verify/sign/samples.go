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
	"adyen-payments": "AUTHORISATION", "aircall": "call.created", "alertmanager": "firing", "aws-sns": "Notification",
	"azure-devops": "git.push", "bitbucket": "repo:push", "calendly": "invitee.created",
	"circleci": "workflow-completed", "clerk": "user.created", "cloudinary": "upload",
	"contentful": "ContentManagement.Entry.publish", "discord": "APPLICATION_AUTHORIZED",
	"docusign": "envelope-completed", "fusionauth": "user.create", "github": "push", "gitlab": "Push Hook",
	"google-pubsub": "OBJECT_FINALIZE", "hubspot": "contact.creation", "intercom": "conversation.user.created",
	"jira": "jira:issue_created", "lark": "im.message.receive_v1", "linear": "Issue.create", "mailgun": "delivered",
	"mandrill": "send", "meta": "whatsapp_business_account.messages", "mollie": "payment-link.paid",
	"monday": "create_pulse", "netlify": "ready", "notion": "page.content_updated", "openai": "response.completed",
	"pagerduty": "incident.triggered", "paypal": "PAYMENT.CAPTURE.COMPLETED",
	"plaid": "TRANSACTIONS.SYNC_UPDATES_AVAILABLE", "resend": "email.delivered", "sendgrid": "delivered",
	"sentry": "issue.created", "shopify": "orders/create", "slack": "app_mention", "sonarqube": "OK",
	"square": "payment.updated", "standard-webhooks": "user.created", "stripe": "payment_intent.succeeded",
	"telnyx": "message.received", "trello": "updateCard", "twilio": "message", "typeform": "form_response",
	"woocommerce": "order.created", "zoom": "meeting.started",
}

// escapedColon stands in names of files for the colon, which they must not have.
const escapedColon = "%3A"

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
			name := strings.TrimSuffix(strings.TrimPrefix(path, root+"/"), ".json")
			types = append(types, strings.ReplaceAll(name, escapedColon, ":"))
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
		path := "samples/" + preset.Name + "/" + strings.ReplaceAll(eventType, ":", escapedColon) + ".json"
		if data, err := sampleFiles.ReadFile(path); err == nil {
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
