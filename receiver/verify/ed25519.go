package verify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"

	"github.com/postern-dev/postern/receiver/body"
	"github.com/postern-dev/postern/receiver/route"
)

// ed25519Keys matches Ed25519 signatures.
type ed25519Keys []ed25519Key

type ed25519Key struct {
	name   string
	public ed25519.PublicKey
}

func newEd25519(keys []key, format route.KeyFormat) (ed25519Keys, int, error) {
	matcher := make(ed25519Keys, 0, len(keys))
	for _, k := range keys {
		public, err := parseEd25519(k, format)
		if err != nil {
			return nil, 0, err
		}
		matcher = append(matcher, ed25519Key{k.name, public})
	}
	return matcher, ed25519.SignatureSize, nil
}

const ed25519Form = "an Ed25519 public key"

// parseEd25519 reads a public key as the provider shows it, or as PEM.
func parseEd25519(k key, format route.KeyFormat) (ed25519.PublicKey, error) {
	form := ed25519Form + " in PEM or " + keyForms[format.Encoding]
	if block, _ := pem.Decode([]byte(k.text)); block != nil {
		parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
		public, ok := parsed.(ed25519.PublicKey)
		if err != nil || !ok {
			return nil, badKey(k.name, "is not %s: copy it again as the provider shows it", form)
		}
		return public, nil
	}
	return decodeKey(k, format, form, func(decoded []byte) bool { return len(decoded) == ed25519.PublicKeySize })
}

// prepareAsymmetric does what is cheap before signatures are tried that are not:
// it judges the time, and asks for the memory of the copy that Ed25519 needs.
func (w *work) prepareAsymmetric() error {
	if w.scheme.timed {
		if err := w.checkTime(); err != nil {
			return err
		}
	}
	if !w.request.read().Reserve(int64(len(w.request.Body))) {
		return body.ErrNoMemory
	}
	return nil
}

func (keys ed25519Keys) match(w *work, content []byte) (string, bool) {
	var message bytes.Buffer
	message.Grow(len(content) + maxSignature)
	w.writeContent(&message, content)
	for _, k := range keys {
		for i := range w.count {
			if ed25519.Verify(k.public, message.Bytes(), w.candidates[i][:]) {
				return k.name, true
			}
		}
	}
	return "", false
}
