package route

// Health is what a receiver says at /readyz about itself.
type Health struct {
	// Status is "ready" or "not ready".
	Status string `json:"status"`
	// Causes are words of this package, Reasons the sentences to them in the same
	// order. A receiver that is ready may have one too: it serves, and refuses
	// new events.
	Causes  []string `json:"causes,omitempty"`
	Reasons []string `json:"reasons,omitempty"`
}

// Causes of a receiver that does not take new events. They are reasons of the
// conditions of WebhookReceivers too.
const (
	CauseStopping                   = "Stopping"
	CauseRoutesIncomplete           = "RoutesIncomplete"
	CauseStoreUnavailable           = "StoreUnavailable"
	CauseStoreNotDurable            = "StoreNotDurable"
	CauseStoreFull                  = "StoreFull"
	CauseStoreOfAnotherInstallation = "StoreOfAnotherInstallation"
)

// CauseDeduplicationShortened is of a receiver that takes new events and may take
// late copies for new ones. It is a condition of WebhookReceivers too.
const CauseDeduplicationShortened = "DeduplicationShortened"

// Add adds a cause and its sentence.
func (h *Health) Add(cause, reason string) {
	h.Causes = append(h.Causes, cause)
	h.Reasons = append(h.Reasons, reason)
}
