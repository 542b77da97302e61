package verify

import "github.com/postern-dev/postern/receiver/route"

// presetsCode are code hosts, registries and what builds and ships code.
var presetsCode = []preset{
	{Preset: Preset{
		Name: "github", DisplayName: "GitHub",
		// GitHub sends no payload of more than 25 MB.
		MaxBodyBytes: route.MaxBodyBytesLimit,
		DocsURL:      "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
		DeliveryID:   "{header:X-GitHub-Delivery}", EventType: "{header:X-GitHub-Event}.{json:action}",
		AckLimit: ackTen,
		Variants: hexBody("X-Hub-Signature-256", "sha256="),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: byHand(3*day, RetryBytesIdentical),
		DistinguishedBy: []string{"{header:X-GitHub-Hook-ID}", "{header:X-GitHub-Event}"},
		Sources: []string{
			"https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks#use-the-x-github-delivery-header",
			"https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers",
			"https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries",
		},
		SetUp: []string{
			"Repository or organization, Settings, Webhooks, Add webhook.",
			"Payload URL: the endpoint's URL. Content type: application/json.",
			"Secret: a random string; put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "gitlab", DisplayName: "GitLab", Aliases: []string{"gitlab-token", "gitlab-signing-token"},
		// GitLab sends no payload of more than 25 MB.
		MaxBodyBytes: route.MaxBodyBytesLimit,
		DocsURL:      "https://docs.gitlab.com/user/project/integrations/webhooks/",
		DeliveryID:   "{header:webhook-id} | {header:Idempotency-Key}",
		EventType:    "{header:X-Gitlab-Event}", AckLimit: ackTen,
		Variants: []Variant{
			{KeyPrefix: "whsec_", Scheme: standardScheme("webhook", standardKey)},
			token("X-Gitlab-Token", "")[0],
		},
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: byHand(2*day, RetryBytesUnknown),
		DistinguishedBy: []string{"{header:X-Gitlab-Event}"},
		Sources: []string{
			"https://docs.gitlab.com/user/project/integrations/webhooks/#delivery-headers",
			"https://gitlab.com/gitlab-org/gitlab/-/blob/master/app/services/web_hook_service.rb",
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
		Handshake: "diagnostics:ping of Bitbucket Server, which has no signature: 200",
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{header:X-Hook-UUID}", "{header:X-Event-Key}"},
		Sources: []string{
			"https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/#HTTP-headers",
			"https://support.atlassian.com/bitbucket-cloud/docs/troubleshoot-webhooks/",
			"https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html",
		},
		SetUp: []string{
			"Repository settings, Webhooks, Add webhook. Fill in Secret and put the same text into the Secret.",
		},
	}, greet: greetBitbucket},
	{Preset: Preset{
		Name: "gitea", DisplayName: "Gitea and Forgejo", Aliases: []string{"forgejo", "gogs"},
		DocsURL:    "https://docs.gitea.com/usage/webhooks",
		DeliveryID: "{header:X-Gitea-Delivery} | {header:X-Forgejo-Delivery} | {header:X-Gogs-Delivery}",
		EventType:  "{header:X-Gitea-Event} | {header:X-Forgejo-Event} | {header:X-Gogs-Event}",
		Methods:    []string{"POST", "GET"}, AckLimit: ackFive, Variants: one(route.Scheme{
			Algorithm: route.AlgorithmHMACSHA256,
			Signature: route.Signature{
				Headers:  []string{"X-Gitea-Signature", "X-Forgejo-Signature", "X-Gogs-Signature"},
				Encoding: route.EncodingHex,
			},
			Content: "{payload}",
		}),
		Identity: IdentityID, Evidence: EvidenceSDK, Retries: byHand(0, RetryBytesIdentical),
		Sources: []string{
			"https://github.com/go-gitea/gitea/blob/main/services/webhook/deliver.go",
			"https://github.com/go-gitea/gitea/blob/main/models/webhook/hooktask.go",
		},
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
		Identity: IdentityRequest, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://buildkite.com/docs/apis/webhooks/pipelines"},
		SetUp: []string{
			"Settings, Notification Services, Webhook. Put the token into the Secret; choose the HMAC signature.",
		},
	}},
	{Preset: Preset{
		Name: "circleci", DisplayName: "CircleCI",
		DocsURL:    "https://circleci.com/docs/guides/integration/outbound-webhooks/",
		DeliveryID: "{json:id}", EventType: "{header:circleci-event-type} | {json:type}", IDSigned: true,
		AckLimit: ackTen, Variants: listBody("circleci-signature", "v1"),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:webhook.id}"},
		Sources: []string{
			"https://circleci.com/docs/guides/integration/outbound-webhooks/",
			"https://circleci.com/docs/reference/outbound-webhooks-reference/#common-top-level-keys",
		},
		SetUp: []string{"Project Settings, Webhooks, Add Webhook. Put the secret token into the Secret."},
	}},
	{Preset: Preset{
		Name: "npm", DisplayName: "npm hooks", DocsURL: "https://github.com/npm/npm-hook-receiver",
		EventType: "{json:event}", Variants: hexBody("x-npm-signature", "sha256="),
		Identity: IdentityNone, Evidence: EvidenceInferred, Retries: notRetried(),
		Sources: []string{"https://github.com/npm/npm-hook-receiver"},
		SetUp:   []string{"npm hook add PACKAGE URL SECRET; put SECRET into the Secret."},
	}},
	{Preset: Preset{
		Name: "vercel", DisplayName: "Vercel", DocsURL: "https://vercel.com/docs/webhooks/webhooks-api",
		DeliveryID: "{json:id}", EventType: "{json:type}", IDSigned: true,
		Variants: sha1Body("x-vercel-signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(day, RetryBytesUnknown),
		Sources: []string{"https://vercel.com/docs/webhooks/webhooks-api"},
		SetUp:   []string{"Team Settings, Webhooks, Create Webhook. Put the secret that is shown once into the Secret."},
	}},
	{Preset: Preset{
		Name: "heroku", DisplayName: "Heroku", DocsURL: "https://devcenter.heroku.com/articles/app-webhooks",
		DeliveryID: "{json:webhook_metadata.delivery.id}", IDSigned: true,
		EventType: "{json:webhook_metadata.event.include} | {json:resource}",
		Variants:  base64Body("Heroku-Webhook-Hmac-SHA256", ""),
		Identity:  IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{
			"https://devcenter.heroku.com/articles/app-webhooks",
			"https://devcenter.heroku.com/articles/app-webhooks-schema",
		},
		SetUp: []string{"heroku webhooks:add -i api:release -l notify -u URL -s SECRET; put SECRET into the Secret."},
	}},
	{Preset: Preset{
		Name: "terraform", DisplayName: "HCP Terraform", Aliases: []string{"hcp-terraform", "terraform-cloud"},
		DocsURL:   "https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations",
		EventType: "{json:notifications[0].trigger} | {json:stage}",
		Variants:  alsoIn(sha512Body("X-TFE-Notification-Signature", ""), "X-TFC-Task-Signature"),
		Identity:  IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{
			"https://developer.hashicorp.com/terraform/cloud-docs/api-docs/notification-configurations#notification-payload",
			"https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run-tasks/run-tasks-integration",
		},
		SetUp: []string{
			"Workspace, Settings, Notifications, Webhook. Fill in Token and put the same text into the Secret.",
			"Run tasks: Organization, Settings, Run tasks. Fill in HMAC key and put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "launchdarkly", DisplayName: "LaunchDarkly", Aliases: []string{"launch-darkly"},
		DocsURL:    "https://launchdarkly.com/docs/home/infrastructure/webhooks",
		DeliveryID: "{json:_id}", EventType: "{json:kind}", IDSigned: true,
		Variants: hexBody("X-LD-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		Sources: []string{"https://launchdarkly.com/docs/api/webhooks"},
		SetUp:   []string{"Integrations, Webhooks, Add. Sign this webhook, and put the secret into the Secret."},
	}},
	{Preset: Preset{
		Name: "doppler", DisplayName: "Doppler", DocsURL: "https://docs.doppler.com/docs/webhooks",
		EventType: "{json:type}", Variants: hexBody("X-Doppler-Signature", "sha256="),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://docs.doppler.com/docs/webhooks"},
		SetUp:   []string{"Project, Webhooks, Add. Fill in the signing secret and put the same text into the Secret."},
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
		// The id is signed and differs for each attempt, too: it names a request.
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesResigned),
		Sources: []string{"https://configcat.com/docs/advanced/notifications-webhooks/#verifying-webhook-requests"},
		SetUp:   []string{"Webhooks, Add webhook, View signing keys: put a key into the Secret."},
	}},
	{Preset: Preset{
		Name: "cursor", DisplayName: "Cursor Cloud Agents",
		DocsURL:    "https://docs.cursor.com/background-agent/api/webhooks",
		DeliveryID: "{header:X-Webhook-ID}", EventType: "{header:X-Webhook-Event}",
		Variants: hexBody("X-Webhook-Signature", "sha256="),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://docs.cursor.com/background-agent/api/webhooks"},
		SetUp:   []string{"Give webhook.secret when the agent is started; put the same text into the Secret."},
	}},
	{Preset: Preset{
		Name: "nexus", DisplayName: "Sonatype Nexus Repository",
		DocsURL:    "https://help.sonatype.com/en/webhooks.html",
		DeliveryID: "{header:X-Nexus-Webhook-Delivery}", EventType: "{header:X-Nexus-Webhook-ID}",
		Variants: sha1Body("X-Nexus-Webhook-Signature", ""),
		Identity: IdentityID, Evidence: EvidenceDocumented, Retries: notRetried(),
		DistinguishedBy: []string{"{header:X-Nexus-Webhook-ID}"},
		Sources:         []string{"https://help.sonatype.com/en/working-with-http-and-webhooks.html"},
		SetUp: []string{
			"Settings, System, Capabilities, Webhook. Fill in Secret Key and put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "harbor", DisplayName: "Harbor",
		DocsURL:    "https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/",
		DeliveryID: "{json:id}", AckLimit: ackShort, EventType: "{json:type}", Variants: token("Authorization", ""),
		Identity: IdentityID, Evidence: EvidenceSDK, Retries: retried(0, RetryBytesIdentical),
		DistinguishedBy: []string{"{json:source}", "{json:type}"},
		Sources: []string{
			"https://github.com/goharbor/harbor/blob/main/src/pkg/notifier/formats/cloudevents.go",
			"https://github.com/goharbor/harbor/blob/main/src/pkg/notifier/handler/notification/http_handler.go",
		},
		SetUp: []string{
			"Project, Webhooks, New Webhook. Auth Header: a random string; put the same text into the Secret.",
		},
	}},
	{Preset: Preset{
		Name: "docker-hub", DisplayName: "Docker Hub", Aliases: []string{"dockerhub", "docker"}, Class: ClassStatic,
		DocsURL:         "https://docs.docker.com/docker-hub/repos/manage/webhooks/",
		OptionalOptions: []Option{optionParameter},
		Identity:        IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://docs.docker.com/docker-hub/repos/manage/webhooks/"},
		SetUp:   urlSecretSteps("Repository, Webhooks."),
	}, special: newQueryToken},
	{Preset: Preset{
		Name: "quay", DisplayName: "Quay", Aliases: []string{"quay-io"}, Class: ClassStatic,
		DocsURL: "https://docs.quay.io/guides/notifications.html", OptionalOptions: []Option{optionParameter},
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://docs.quay.io/guides/notifications.html"},
		SetUp:   urlSecretSteps("Repository, Settings, Events and Notifications, Webhook POST."),
	}, special: newQueryToken},
	{Preset: Preset{
		Name: "azure-devops", DisplayName: "Azure DevOps", Aliases: []string{"azuredevops", "vsts"},
		DocsURL: "https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks",
		Class:   ClassStatic, Headers: []string{"Authorization"},
		DeliveryID: "{json:id}", EventType: "{json:eventType}",
		OptionalOptions: []Option{optionHeader},
		Identity:        IdentityID, Evidence: EvidenceDocumented, Retries: retried(0, RetryBytesUnknown),
		DistinguishedBy: []string{"{json:subscriptionId}", "{json:notificationId}"},
		Sources: []string{
			"https://learn.microsoft.com/azure/devops/service-hooks/events",
			"https://learn.microsoft.com/rest/api/azure/devops/hooks/notifications",
		},
		SetUp: []string{
			"Project settings, Service hooks, Create subscription, Web Hooks. Basic authentication: put user:password, " +
				"with any user name, into the Secret.",
			"Or HTTP headers: NAME:VALUE; give NAME as the option header and put VALUE into the Secret.",
		},
	}, special: newAuthorization},
	{Preset: Preset{
		Name: "sonarqube", DisplayName: "SonarQube", Aliases: []string{"sonarcloud"},
		DocsURL:   "https://docs.sonarsource.com/sonarqube-server/discovering/integrations/webhooks",
		EventType: "{json:qualityGate.status} | {json:status}", AckLimit: ackTen,
		Variants: hexBody("X-Sonar-Webhook-HMAC-SHA256", ""),
		Identity: IdentityNone, Evidence: EvidenceDocumented, Retries: notRetried(),
		Sources: []string{"https://docs.sonarsource.com/sonarqube-server/discovering/integrations/webhooks"},
		SetUp: []string{
			"Project settings or Administration, Webhooks, Create. Fill in Secret and put the same text into the Secret.",
		},
	}},
}
