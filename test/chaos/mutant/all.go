package mutant

import "slices"

// Worlds and faults by the names that the rest of the suite has for them.
const (
	sidecar  = "sidecar"
	external = "external"
	sentinel = "sentinel"

	unroute       = "F16 delete a route by hand"
	killReceiver  = "F1 kill receiver"
	killStore     = "F1 kill redis"
	powerLoss     = "F3 power loss"
	stopPastLease = "F7 stop receiver past its leases"
	targetFails   = "F9 target answers 500"
	targetRefuses = "F9 target answers 422"
	targetBusy    = "F9 target answers 429 with Retry-After"
	targetDown    = "F9 target answers 503 with Retry-After"
	resetStore    = "F8 reset the store's connections"
	flipBits      = "F14 flipped bits in bodies"
	failover      = "F15 replica stalls and the primary dies"
	errorPages    = "F6 memory full beside error pages of 4 KiB"
	replacePod    = "F12 replace the pod and its volume"
	stranger      = "F19 another installation on the store"
	cutOff        = "F19 one replica away from the API server"
	yield         = "F19 an older endpoint takes the path"
)

// Parts of violations' messages.
const (
	// lost begins that of an event that a target never got.
	lost = "acknowledged, and"
	// unverified is what both the sender's and the target's side are told by.
	unverified = "verif"
)

// All returns every mutant.
func All() []Mutant {
	return slices.Concat(storeMutants, deliveryMutants, requestMutants, excessMutants)
}
