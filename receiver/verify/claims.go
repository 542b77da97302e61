package verify

// Claimer is implemented by verifiers that can tell which event a request
// claims to be without judging it. Only Audit enforcement asks: everybody
// else parses nothing that is not verified.
type Claimer interface {
	Claimed(request *Request) Verdict
}

// Claimed returns the event that a request says it is, whoever wrote that.
func (v *verifier) Claimed(request *Request) Verdict { return v.verdict(request, proof{}) }
