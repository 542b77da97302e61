package verify

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // some providers sign with HMAC-SHA1, which is not broken by collisions
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"sync"

	"github.com/postern-dev/postern/receiver/route"
)

// hmacKeys matches HMACs. Each key keeps ready hash states, so that the key is
// expanded once and not for every request.
type hmacKeys []*hmacKey

type hmacKey struct {
	name   string
	states sync.Pool // of *hmacState
}

type hmacState struct {
	hash hash.Hash
	sum  [maxSignature]byte
}

var hashes = map[route.Algorithm]func() hash.Hash{
	route.AlgorithmHMACSHA1:   sha1.New,
	route.AlgorithmHMACSHA256: sha256.New,
	route.AlgorithmHMACSHA512: sha512.New,
}

func newHMAC(algorithm route.Algorithm, keys []key, format route.KeyFormat) (hmacKeys, int, error) {
	newHash := hashes[algorithm]
	matcher := make(hmacKeys, 0, len(keys))
	for _, k := range keys {
		secret, err := decodeKey(k, format, "", nil)
		if err != nil {
			return nil, 0, err
		}
		entry := &hmacKey{name: k.name}
		entry.states.New = func() any { return &hmacState{hash: hmac.New(newHash, secret)} }
		matcher = append(matcher, entry)
	}
	return matcher, newHash().Size(), nil
}

func (keys hmacKeys) match(w *work, body []byte) (string, bool) {
	for _, k := range keys {
		if k.signed(w, body) {
			return k.name, true
		}
	}
	return "", false
}

// signed is true when one of the candidates is the MAC of the content.
func (k *hmacKey) signed(w *work, body []byte) bool {
	state := k.states.Get().(*hmacState)
	defer k.states.Put(state)
	sum := state.mac(w, body)
	for i := range w.count {
		if secretEqual(sum, w.candidates[i][:len(sum)]) {
			return true
		}
	}
	return false
}

// mac is the MAC of the content, valid until the next call.
func (s *hmacState) mac(w *work, body []byte) []byte {
	s.hash.Reset()
	w.writeContent(s.hash, body)
	return s.hash.Sum(s.sum[:0])
}

// hmacSum is the MAC of one message, for schemes beside the engine.
func hmacSum(newHash func() hash.Hash, secret []byte, message ...[]byte) []byte {
	mac := hmac.New(newHash, secret)
	for _, piece := range message {
		mac.Write(piece)
	}
	return mac.Sum(nil)
}

// digest is the SHA-256 of what is signed.
func digest(signed ...[]byte) string {
	sum := sha256.New()
	for _, piece := range signed {
		sum.Write(piece)
	}
	return string(sum.Sum(nil))
}
