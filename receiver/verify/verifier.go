package verify

import (
	"cmp"
	"context"
	"slices"
)

// verifier is a judge with everything around it that all schemes share.
type verifier struct {
	judge            judge
	fields           *fields
	identity         Identity
	greeting         *greeting
	greet            func(*greeting, *Request) (*Response, error)
	answer           func(*greeting, proof, *Request) (*Response, error)
	methods          []string
	handshakeMethods []string
	headers          []string
	parameters       []string
}

// QueryCredentials is implemented by verifiers whose requests carry the secret
// in the query string; those parameters are not forwarded.
type QueryCredentials interface {
	CredentialParameters() []string
}

func assemble(p *preset, m material, j judge) (Verifier, error) {
	f, err := compileFields(p.DeliveryID, p.DistinguishedBy, p.EventType)
	if err == nil {
		err = f.batches(p.second)
	}
	if err != nil {
		return nil, err
	}
	v := &verifier{
		judge: j, fields: f, identity: p.Identity, greet: p.greet, answer: p.answer,
		greeting: &greeting{keys: m.keys, options: m.options},
		methods:  p.Methods, handshakeMethods: p.handshakeMethods,
	}
	if c, ok := j.(credentialed); ok {
		v.headers, v.parameters = c.credentials()
	}
	return v, nil
}

// Verify judges one request.
func (v *verifier) Verify(ctx context.Context, request *Request) (Verdict, error) {
	if v.greet != nil {
		response, err := v.greet(v.greeting, request)
		if err != nil || response != nil {
			return Verdict{Handshake: response}, err
		}
	}
	handshakeOnly := slices.Contains(v.handshakeMethods, request.Method)
	if handshakeOnly && v.answer == nil {
		return Verdict{}, noHandshake(request)
	}
	p, err := v.judge.judge(ctx, request)
	if err != nil {
		return Verdict{}, err
	}
	if p.handshake != nil {
		return Verdict{KeyName: p.key, Handshake: p.handshake}, nil
	}
	if v.answer != nil {
		response, err := v.answer(v.greeting, p, request)
		if err != nil || response != nil {
			return Verdict{KeyName: p.key, Handshake: response}, err
		}
	}
	if handshakeOnly {
		return Verdict{}, noHandshake(request)
	}
	return v.verdict(request, p), nil
}

// verdict says which event the request is.
func (v *verifier) verdict(request *Request, p proof) Verdict {
	var found values
	v.fields.extract(request, &found)
	return Verdict{
		KeyName:    p.key,
		DeliveryID: cmp.Or(p.id, v.fields.deliveryID(request, &found)),
		EventType:  cmp.Or(p.eventType, first(v.fields.eventType, request, &found)),
		Same:       v.same(request, &p, &found),
	}
}

func noHandshake(request *Request) error {
	return refusef(SignatureMissing, "%s is for the provider's handshake only, and this is none", request.Method)
}

// Methods lists the request methods, handshakes included.
func (v *verifier) Methods() []string { return v.methods }

// CredentialHeaders lists the headers whose value is the secret.
func (v *verifier) CredentialHeaders() []string { return v.headers }

// CredentialParameters lists the query parameters whose value is the secret.
func (v *verifier) CredentialParameters() []string { return v.parameters }
