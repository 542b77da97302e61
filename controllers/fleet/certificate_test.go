package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/api/v1alpha1"
)

func chain(t *testing.T, from, until time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: until}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}

func TestJudgeCertificate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		chain           []byte
		reason, message string
	}{
		"valid":       {chain: chain(t, now.Add(-time.Hour), now.Add(time.Hour))},
		"last second": {chain: chain(t, now.Add(-time.Hour), now.Add(time.Second))},
		"expired": {
			chain(t, now.Add(-time.Hour), now), v1alpha1.ReasonCertificateExpired, "expired at 2026-03-01T12:00:00Z",
		},
		"too early": {chain(t, now.Add(time.Hour), now.Add(2*time.Hour)), v1alpha1.ReasonCertificateInvalid, "not valid before"},
		"empty":     {nil, v1alpha1.ReasonCertificateInvalid, "no certificate in PEM"},
		"not a certificate": {
			pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}),
			v1alpha1.ReasonCertificateInvalid, "cannot be read",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judgeCertificate("hooks-tls", test.chain, now)
			switch {
			case test.reason == "" && got.Trouble != nil:
				t.Errorf("trouble is %+v, want none", *got.Trouble)
			case test.reason != "" && (got.Trouble == nil || got.Trouble.Reason != test.reason ||
				!strings.Contains(got.Trouble.Message, test.message) || !strings.Contains(got.Trouble.Message, `"hooks-tls"`)):
				t.Errorf("trouble is %+v, want %s with %q", got.Trouble, test.reason, test.message)
			}
		})
	}
}
