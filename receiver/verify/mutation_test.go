package verify_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// TestEveryMutatedByteIsRefused changes each byte of signed requests, one bit
// at a time in the body and the proof, and leaves each byte out once: nothing
// but the request as it was signed is accepted.
func TestEveryMutatedByteIsRefused(t *testing.T) {
	t.Parallel()
	const secret, body, at = "a secret", "{\"id\":\"evt_1\", \"n\": 1.0}\n", "1758600000"
	hexMAC := func(content string) string { return hex.EncodeToString(mac(sha256.New, secret, content)) }
	for provider, proof := range map[string]struct {
		header string
		value  string
		more   []string
	}{
		"github": {header: "X-Hub-Signature-256", value: "sha256=" + hexMAC(body)},
		"stripe": {header: "Stripe-Signature", value: "t=" + at + ",v1=" + hexMAC(at+"."+body)},
		"slack": {
			header: "X-Slack-Signature", value: "v0=" + hexMAC("v0:"+at+":"+body),
			more: []string{"X-Slack-Request-Timestamp", at},
		},
		"shopify": {
			header: "X-Shopify-Hmac-SHA256", value: base64.StdEncoding.EncodeToString(mac(sha256.New, secret, body)),
		},
	} {
		t.Run(provider, func(t *testing.T) {
			t.Parallel()
			v := endpoint{provider: provider, keys: []string{secret}}.compile(t)
			attempt := func(body, value string) error {
				_, err := v.Verify(t.Context(), post(body, append([]string{proof.header, value}, proof.more...)...))
				return err
			}
			if err := attempt(body, proof.value); err != nil {
				t.Fatalf("the request as it was signed: %v", err)
			}
			tried := 0
			for change, mutated := range mutations(body) {
				if tried++; attempt(mutated, proof.value) == nil {
					t.Errorf("accepted with a body of which %s", change)
				}
			}
			for change, mutated := range mutations(proof.value) {
				if tried++; attempt(body, mutated) == nil && !sameDigits(mutated, proof.value) {
					t.Errorf("accepted with a proof of which %s: %q", change, mutated)
				}
			}
			if tried < 9*len(body) {
				t.Errorf("only %d mutations were tried", tried)
			}
		})
	}
}

// sameDigits says whether two proofs end in the same hex digits, which are read
// in either case, and have nothing else different.
func sameDigits(a, b string) bool {
	at := len(b) - hex.EncodedLen(sha256.Size)
	return at > 0 && len(a) == len(b) && a[:at] == b[:at] && strings.EqualFold(a[at:], b[at:])
}

// mutations yields every text that differs in one bit or lacks one byte.
func mutations(text string) func(yield func(change, mutated string) bool) {
	return func(yield func(change, mutated string) bool) {
		for i := range len(text) {
			for bit := range 8 {
				mutated := []byte(text)
				mutated[i] ^= 1 << bit
				if !yield(fmt.Sprintf("bit %d of byte %d is another", bit, i), string(mutated)) {
					return
				}
			}
			if !yield(fmt.Sprintf("byte %d is missing", i), text[:i]+text[i+1:]) {
				return
			}
		}
	}
}
