package verify

import "github.com/postern-dev/postern/receiver/route"

// presetsCode are code hosts, registries and what builds and ships code.
var presetsCode = []preset{
	{Preset: Preset{
		Name: "github", DisplayName: "GitHub",
		DocsURL:    "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
		DeliveryID: "{header:X-GitHub-Delivery}", EventType: "{header:X-GitHub-Event}.{json:action}",
		AckLimit: ackTen, Retries: Retries{For: 3 * day},
		Variants: hexBody("X-Hub-Signature-256", "sha256="),
		SetUp: []string{
			"Repository or organization, Settings, Webhooks, Add webhook.",
			"Payload URL: the endpoint's URL. Content type: application/json.",
			"Secret: a random string; put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "gitlab", DisplayName: "GitLab", Aliases: []string{"gitlab-token", "gitlab-signing-token"},
		DocsURL:    "https://docs.gitlab.com/user/project/integrations/webhooks/",
		DeliveryID: "{header:webhook-id} | {header:Idempotency-Key} | {header:X-Gitlab-Event-UUID}",
		EventType:  "{header:X-Gitlab-Event}", AckLimit: ackTen,
		Variants: []Variant{
			{KeyPrefix: "whsec_", Scheme: standardScheme("webhook", standardKey)},
			token("X-Gitlab-Token", "")[0],
		},
		SetUp: []string{
			"Project or group, Settings, Webhooks, Add new webhook. URL: the endpoint's URL.",
			"Signing token (preferred): generate it and put the whsec_ text into the Secret.",
			"Secret token (older versions): a random string; put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "bitbucket", DisplayName: "Bitbucket", Aliases: []string{"bitbucket-cloud", "bitbucket-server"},
		DocsURL:    "https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/",
		DeliveryID: "{header:X-Request-UUID} | {header:X-Request-Id}", EventType: "{header:X-Event-Key}",
		AckLimit: ackTen, Variants: hexBody("X-Hub-Signature", "sha256="),
		SetUp: []string{
			"Repository settings, Webhooks, Add webhook. Fill in Secret and put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "gitea", DisplayName: "Gitea and Forgejo", Aliases: []string{"forgejo", "gogs"},
		DocsURL:    "https://docs.gitea.com/usage/webhooks",
		DeliveryID: "{header:X-Gitea-Delivery} | {header:X-Forgejo-Delivery} | {header:X-Gogs-Delivery}",
		EventType:  "{header:X-Gitea-Event} | {header:X-Forgejo-Event} | {header:X-Gogs-Event}",
		Variants: one(route.Scheme{
			Algorithm: route.AlgorithmHMACSHA256,
			Signature: route.Signature{
				Headers:  []string{"X-Gitea-Signature", "X-Forgejo-Signature", "X-Gogs-Signature"},
				Encoding: route.EncodingHex,
			},
		}),
		SetUp: []string{
			"Repository, Settings, Webhooks, Add Webhook. Fill in Secret and put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "buildkite", DisplayName: "Buildkite",
		DocsURL:   "https://buildkite.com/docs/apis/webhooks/pipelines",
		EventType: "{header:X-Buildkite-Event} | {json:event}",
		Variants: []Variant{
			listScheme("X-Buildkite-Signature", "timestamp", "signature")[0],
			token("X-Buildkite-Token", "")[0],
		},
		SetUp: []string{
			"Settings, Notification Services, Webhook. Put the token into the Secret; choose the HMAC signature.",
		},
	}},
	{Preset: Preset{
		Name: "circleci", DisplayName: "CircleCI",
		DocsURL:    "https://circleci.com/docs/guides/integration/outbound-webhooks/",
		DeliveryID: "{json:id}", EventType: "{header:circleci-event-type} | {json:type}", IDSigned: true,
		AckLimit: ackTen, Variants: listBody("circleci-signature", "v1"),
		SetUp: []string{"Project Settings, Webhooks, Add Webhook. Put the secret token into the Secret."},
	}},
	{Preset: Preset{
		Name: "npm", DisplayName: "npm hooks", DocsURL: "https://github.com/npm/npm-hook-receiver",
		EventType: "{json:event}", Variants: hexBody("x-npm-signature", "sha256="),
		SetUp: []string{"npm hook add PACKAGE URL SECRET; put SECRET into the Secret."},
	}},
	{Preset: Preset{
		Name: "vercel", DisplayName: "Vercel", DocsURL: "https://vercel.com/docs/webhooks/webhooks-api",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true, Retries: Retries{For: day},
		Variants: sha1Body("x-vercel-signature", ""),
		SetUp:    []string{"Team Settings, Webhooks, Create Webhook. Put the secret that is shown once into the Secret."},
	}},
	{Preset: Preset{
		Name: "heroku", DisplayName: "Heroku", DocsURL: "https://devcenter.heroku.com/articles/app-webhooks",
		DeliveryID: "{header:Heroku-Webhook-Id} | {json:id}",
		EventType:  "{json:webhook_metadata.event.include} | {json:resource}",
		Variants:   base64Body("Heroku-Webhook-Hmac-SHA256", ""),
		SetUp:      []string{"heroku webhooks:add -i api:release -l notify -u URL -s SECRET; put SECRET into the Secret."},
	}},
	{Preset: Preset{
		Name: "terraform", DisplayName: "HCP Terraform", Aliases: []string{"hcp-terraform", "terraform-cloud"},
		DocsURL:   "https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations",
		EventType: "{json:notifications[0].trigger}",
		Variants:  sha512Body("X-TFE-Notification-Signature", ""),
		SetUp: []string{
			"Workspace, Settings, Notifications, Webhook. Fill in Token and put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "launchdarkly", DisplayName: "LaunchDarkly", Aliases: []string{"launch-darkly"},
		DocsURL:    "https://launchdarkly.com/docs/home/infrastructure/webhooks",
		DeliveryID: "{json:_id}", EventType: "{json:kind}", IDSigned: true,
		Variants: hexBody("X-LD-Signature", ""),
		SetUp:    []string{"Integrations, Webhooks, Add. Sign this webhook, and put the secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "doppler", DisplayName: "Doppler", DocsURL: "https://docs.doppler.com/docs/webhooks",
		EventType: "{json:type}", Variants: hexBody("X-Doppler-Signature", "sha256="),
		SetUp: []string{"Project, Webhooks, Add. Fill in the signing secret and put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "configcat", DisplayName: "ConfigCat",
		DocsURL:    "https://configcat.com/docs/advanced/notifications-webhooks/",
		DeliveryID: "{header:X-ConfigCat-Webhook-ID}", IDSigned: true,
		Variants: one(route.Scheme{
			Algorithm: route.AlgorithmHMACSHA256,
			Signature: route.Signature{
				Headers: []string{"X-ConfigCat-Webhook-Signature-V1"}, Encoding: route.EncodingBase64,
				List: &route.SignatureList{Separator: ","},
			},
			Content: "{id}{header:X-ConfigCat-Webhook-Timestamp}{body}",
			ID:      route.Field{Header: "X-ConfigCat-Webhook-ID"},
		}),
		SetUp: []string{"Webhooks, Add webhook, View signing keys: put a key into the Secret."},
	}},
	{Preset: Preset{
		Name: "cursor", DisplayName: "Cursor Cloud Agents",
		DocsURL:    "https://docs.cursor.com/background-agent/api/webhooks",
		DeliveryID: "{header:X-Webhook-ID}", EventType: "{header:X-Webhook-Event}",
		Variants: hexBody("X-Webhook-Signature", "sha256="),
		SetUp:    []string{"Give webhook.secret when the agent is started; put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "nexus", DisplayName: "Sonatype Nexus Repository",
		DocsURL:    "https://help.sonatype.com/en/webhooks.html",
		DeliveryID: "{header:X-Nexus-Webhook-Delivery}", EventType: "{header:X-Nexus-Webhook-ID}",
		Variants: sha1Body("X-Nexus-Webhook-Signature", ""),
		SetUp: []string{
			"Settings, System, Capabilities, Webhook. Fill in Secret Key and put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "harbor", DisplayName: "Harbor",
		DocsURL:   "https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/",
		EventType: "{json:type}", Variants: token("Authorization", ""),
		SetUp: []string{
			"Project, Webhooks, New Webhook. Auth Header: a random string; put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "docker-hub", DisplayName: "Docker Hub", Aliases: []string{"dockerhub", "docker"}, Class: ClassStatic,
		DocsURL:         "https://docs.docker.com/docker-hub/repos/manage/webhooks/",
		OptionalOptions: []Option{optionParameter},
		SetUp:           urlSecretSteps("Repository, Webhooks."),
	}, special: newQueryToken},
	{Preset: Preset{
		Name: "quay", DisplayName: "Quay", Aliases: []string{"quay-io"}, Class: ClassStatic,
		DocsURL: "https://docs.quay.io/guides/notifications.html", OptionalOptions: []Option{optionParameter},
		SetUp: urlSecretSteps("Repository, Settings, Events and Notifications, Webhook POST."),
	}, special: newQueryToken},
}
