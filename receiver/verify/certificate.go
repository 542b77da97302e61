package verify

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// certificates finds the RSA keys of providers whose messages name the
// certificate that signed them. The address comes from the message, so it is
// used only when it points to the provider's own host.
type certificates struct {
	// pinned replace fetching; whoever pins a certificate decides how long it
	// is good for, so its dates are not judged.
	pinned []rsaKey
	fetch  *Fetcher
	// host is what the host part of the address must be like.
	host *regexp.Regexp
	// subject is the suffix of the certificate's common name.
	subject string
	// roots are the trusted authorities; nil means the system's.
	roots *x509.CertPool
}

const optionCertificate = "certificate"

func newCertificates(m material, host *regexp.Regexp, subject string) (*certificates, error) {
	pinned, err := parseRSAKeys(publicMaterial(m, optionCertificate, publicKeyName))
	if err != nil {
		return nil, err
	}
	return &certificates{pinned: pinned, fetch: m.fetch, host: host, subject: subject}, nil
}

// checkAddress refuses an address that is not the provider's. It is called
// with pinned certificates too: a foreign address is the mark of a forgery.
func (c *certificates) checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" || u.Fragment != "" ||
		!c.host.MatchString(u.Host) {
		return refuse(SignatureMalformed, "the certificate's address is not an https URL of the provider's host")
	}
	return nil
}

// keys returns the keys that may have signed a message naming this address.
func (c *certificates) keys(ctx context.Context, address string, now time.Time) ([]rsaKey, error) {
	if err := c.checkAddress(address); err != nil {
		return nil, err
	}
	if len(c.pinned) > 0 {
		return c.pinned, nil
	}
	document, err := c.fetch.get(ctx, address, now)
	if err != nil {
		return nil, err
	}
	chain, err := parseCertificates(document)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	if err := c.trust(chain, now); err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	public, ok := chain[0].PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%s: the certificate has no RSA key", address)
	}
	return []rsaKey{{name: "published", public: public}}, nil
}

// trust checks subject, dates and chain of a fetched certificate.
func (c *certificates) trust(chain []*x509.Certificate, now time.Time) error {
	leaf := chain[0]
	name := leaf.Subject.CommonName
	if name != strings.TrimPrefix(c.subject, ".") && !strings.HasSuffix(name, c.subject) {
		return errors.New("the certificate is for another name")
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: c.roots, Intermediates: intermediates, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}
