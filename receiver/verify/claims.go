package verify

// Claimer is implemented by verifiers that can tell which event a request
// claims to be without judging it. Only Audit enforcement asks: everybody
// else parses nothing that is not verified.
type Claimer interface {
	Claimed(request *Request) (deliveryID, eventType string)
}

// Claimed returns the delivery id and event type that a request carries,
// whoever wrote them.
func (v *verifier) Claimed(request *Request) (deliveryID, eventType string) {
	return v.fields.find(request)
}
