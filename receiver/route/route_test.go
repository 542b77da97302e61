package route_test

import (
	"github.com/postern-dev/postern/receiver/route"
)

// The key material of full; no textual form may show it.
const (
	currentKey  = "current-key-material"
	previousKey = "previous-key-material"
	signingKey  = "signing-key-material"
)

// full is a valid route with every field set.
func full() *route.Endpoint {
	return &route.Endpoint{
		SchemaVersion: route.SchemaVersion,
		UID:           "0b6d2c1e", Namespace: "ci", Name: "github", Generation: 3,
		Hosts: []string{"hooks.example.com"}, Path: "/ci/github", URL: "https://hooks.example.com/ci/github",
		Source: route.Source{
			Scheme: &route.Scheme{
				Algorithm: route.AlgorithmHMACSHA256,
				Signature: route.Signature{
					Headers: []string{"X-Signature"}, Prefix: "v1=", Encoding: route.EncodingHex,
					List: &route.SignatureList{
						Separator: ",", KeyValueSeparator: "=", SignatureKey: "v1", TimestampKey: "t",
					},
				},
				Content:        "{timestamp}.{body}",
				Timestamp:      route.Timestamp{Header: "X-Time", JSON: "time", Unit: route.UnitSeconds},
				ID:             route.Field{Header: "X-Id", JSON: "id"},
				EventType:      route.Field{Header: "X-Event", JSON: "type"},
				Key:            route.KeyFormat{Encoding: route.EncodingRaw, StripPrefix: "whsec_"},
				RequireHeaders: map[string]string{"X-Version": "1"},
			},
			ToleranceSeconds: 300,
			Methods:          []string{"POST"},
			Options:          map[string]string{"url": "https://hooks.example.com/ci/github"},
			Enforcement:      route.EnforcementEnforce,
		},
		Keys: []route.Key{
			{Name: "current", Value: route.SecretBytes(currentKey)},
			{Name: "previous", Value: route.SecretBytes(previousKey)},
		},
		SecretVersion:   "12",
		AllowedIPRanges: []string{"192.0.2.0/24", "2001:db8::/32"},
		MaxBodyBytes:    1 << 20,
		RateLimit:       &route.RateLimit{RequestsPerSecond: 10, Burst: 20},
		Deduplication: route.Deduplication{
			KeyExpression: "body.id", WindowSeconds: 60, ReplayGuard: route.ReplayGuardBody,
		},
		EventTypeExpression: "body.type",
		Suspend:             true,
		Delivery:            route.DeliveryQueued,
		Retry: route.Retry{
			InitialBackoffSeconds: 1, MaxBackoffSeconds: 600, MaxAgeSeconds: 3600, MaxAttempts: 5,
		},
		HistoryLimit: 100, DeadMaxAgeSeconds: 86400, Draining: true,
		Targets: []route.Target{
			{
				Name: "builder", Namespace: "ci", Service: "builder", Port: 80, Path: "/hooks",
				EventTypes: []string{"push"}, WhenExpression: "body.ok", Format: route.FormatCloudEvents,
				SigningKey: route.SecretBytes(signingKey), SigningKeyVersion: "7", TimeoutSeconds: 15, MaxInFlight: 32,
			},
			{
				Name: "later", Namespace: "ci", Service: "later", Path: "/", Format: route.FormatOriginal,
				TimeoutSeconds: 15, MaxInFlight: 32,
				Unavailable: &route.Unavailable{Reason: route.ReasonServiceNotFound, Message: "there is no Service"},
			},
		},
		Unavailable: &route.Unavailable{Reason: route.ReasonSecretUnavailable, Message: "there is no Secret"},
	}
}
