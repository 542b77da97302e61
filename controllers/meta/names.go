package meta

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// DefaultNamespace is the system namespace if nothing else is said.
	DefaultNamespace = "postern-system"
	// DefaultReceiver is the WebhookReceiver whose external URL endpoints get.
	DefaultReceiver = "default"
	// RouteIndexName is the name of the index Secret.
	RouteIndexName = "postern-routes-index"
	// RangesName is the name of the Secret with providers' address ranges.
	RangesName = "postern-address-ranges"
)

// Keys of Secrets' data.
const (
	RouteKey      = "route.json"
	RouteIndexKey = "index.json"
	RangesKey     = "ranges.json"
	ReplayKey     = "replay.json"
	TombstoneKey  = "tombstone.json"
)

// Secret types, which are immutable and so mark the Secrets for good.
const (
	SecretTypeRoute      corev1.SecretType = "hooks.postern.dev/route"
	SecretTypeRouteIndex corev1.SecretType = "hooks.postern.dev/route-index"
	SecretTypeReplay     corev1.SecretType = "hooks.postern.dev/replay"
	SecretTypeTombstone  corev1.SecretType = "hooks.postern.dev/tombstone"
)

// Indexes of the manager's cache.
const (
	// IndexSecret finds endpoints by the Secrets that they name.
	IndexSecret = "spec.secrets"
	// IndexService finds endpoints by the Services that they name, as namespace/name.
	IndexService = "spec.services"
	// IndexGrantee finds endpoints with targets in another namespace, by that namespace.
	IndexGrantee = "spec.foreignNamespaces"
	// IndexPath finds endpoints by the path that they ask for.
	IndexPath = "spec.effectivePath"
	// IndexRangeProvider finds endpoints by the providers whose ranges they allow.
	IndexRangeProvider = "spec.rangeProviders"
	// IndexRouteEndpoint finds route Secrets by their endpoint, as namespace/name.
	IndexRouteEndpoint = "route.endpoint"
	// IndexReplayEndpoint finds WebhookReplays by the endpoint that they name.
	IndexReplayEndpoint = "spec.endpointRef.name"
	// IndexRoutePath finds route Secrets by the path that they serve.
	IndexRoutePath = "route.path"
)

// RouteName is the name of the Secret with an endpoint's route. It is made of
// the UID, so that an endpoint never inherits its namesake's route.
func RouteName(uid types.UID) string { return "route-" + string(uid) }

// ReplayName is the name of the Secret that asks receivers for a replay.
func ReplayName(uid types.UID) string { return "replay-" + string(uid) }

// TombstoneName is the name of the Secret that ends an endpoint.
func TombstoneName(uid types.UID) string { return "tombstone-" + string(uid) }

// ReceiverName is the name of a WebhookReceiver's objects.
func ReceiverName(receiver string) string { return suffixed("postern-receiver", receiver) }

// InternalServiceName is the name of the Service for probes, metrics and inspection.
func InternalServiceName(receiver string) string { return suffixed("postern-internal", receiver) }

// StoreClaimName is the name of the claim that holds a sidecar store's log.
func StoreClaimName(receiver string) string { return suffixed("postern-store", receiver) }

// suffixed keeps the prefixes apart, so that no WebhookReceiver's name can make
// one object's name of another's.
func suffixed(prefix, receiver string) string {
	if receiver == DefaultReceiver {
		return prefix
	}
	return prefix + "-" + receiver
}
