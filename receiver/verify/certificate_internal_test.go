package verify

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *rsa.PrivateKey
}

var certifiedAt = time.Unix(1_758_600_000, 0)

func newAuthority(t *testing.T, name string, parent *authority) *authority {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: certifiedAt.Add(-time.Hour), NotAfter: certifiedAt.Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	if parent == nil {
		parent = &authority{certificate: template, key: key}
	}
	a.certificate = parent.sign(t, template, key)
	return a
}

func (a *authority) sign(t *testing.T, template *x509.Certificate, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// TestFetchedCertificatesAreJudged: a certificate from the provider's own host
// must still be the provider's, in time, and of a trusted authority.
func TestFetchedCertificatesAreJudged(t *testing.T) {
	t.Parallel()
	root, other := newAuthority(t, "root", nil), newAuthority(t, "other root", nil)
	middle := newAuthority(t, "middle", root)
	leaf := func(signer *authority, name string, edit func(*x509.Certificate)) *x509.Certificate {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name},
			NotBefore: certifiedAt.Add(-time.Hour), NotAfter: certifiedAt.Add(time.Hour),
		}
		if edit != nil {
			edit(template)
		}
		return signer.sign(t, template, root.key)
	}
	const name = "messageverificationcerts.paypal.com"
	roots := x509.NewCertPool()
	roots.AddCert(root.certificate)
	c := &certificates{host: payPalHost, subject: ".paypal.com", roots: roots}
	for what, test := range map[string]struct {
		chain []*x509.Certificate
		ok    bool
	}{
		"its own":                  {[]*x509.Certificate{leaf(root, name, nil)}, true},
		"the domain itself":        {[]*x509.Certificate{leaf(root, "paypal.com", nil)}, true},
		"by an intermediate":       {[]*x509.Certificate{leaf(middle, name, nil), middle.certificate}, true},
		"without its intermediate": {[]*x509.Certificate{leaf(middle, name, nil)}, false},
		"of another authority":     {[]*x509.Certificate{leaf(other, name, nil), other.certificate}, false},
		"look-alike":               {[]*x509.Certificate{leaf(root, "evilpaypal.com", nil)}, false},
		"look-alike suffix":        {[]*x509.Certificate{leaf(root, "paypal.com.evil.example", nil)}, false},
		"no name":                  {[]*x509.Certificate{leaf(root, "", nil)}, false},
		"expired": {[]*x509.Certificate{leaf(root, name, func(c *x509.Certificate) {
			c.NotAfter = certifiedAt.Add(-time.Minute)
		})}, false},
		"not valid yet": {[]*x509.Certificate{leaf(root, name, func(c *x509.Certificate) {
			c.NotBefore = certifiedAt.Add(time.Minute)
		})}, false},
		"signed by a leaf": {[]*x509.Certificate{
			leaf(&authority{certificate: leaf(root, name, nil), key: root.key}, name, nil), leaf(root, name, nil),
		}, false},
	} {
		if err := c.trust(test.chain, certifiedAt); (err == nil) != test.ok {
			t.Errorf("%s: got %v, want trusted %t", what, err, test.ok)
		}
	}
}
