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
	// pinned replace fetching.
	pinned []rsaKey
	// dated is true when a pinned certificate counts within its dates only. Else
	// whoever pins it decides how long it is good for.
	dated bool
	fetch *Fetcher
	// host and path are what these parts of the address must be like.
	host, path *regexp.Regexp
	// subject is the suffix of the certificate's common name.
	subject string
	// roots are the trusted authorities; nil means the system's.
	roots *x509.CertPool
}

const optionCertificate = "certificate"

func newCertificates(m material, host, path *regexp.Regexp, subject string) (*certificates, error) {
	pinned, err := parseRSAKeys(publicMaterial(m, optionCertificate, publicKeyName))
	if err != nil {
		return nil, err
	}
	return &certificates{pinned: pinned, fetch: m.fetch, host: host, path: path, subject: subject}, nil
}

// checkHost refuses an address that is not the provider's.
func (c *certificates) checkHost(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Port() != "" || u.Fragment != "" ||
		!c.host.MatchString(u.Host) {
		return refuse(SignatureMalformed, "an address in the message is not an https URL of the provider's host")
	}
	return nil
}

// checkAddress refuses an address that is not one of the provider's
// certificates. It is called with pinned certificates too: a foreign address is
// the mark of a forgery.
func (c *certificates) checkAddress(address string) error {
	if err := c.checkHost(address); err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil || u.RawQuery != "" || !c.path.MatchString(u.EscapedPath()) {
		return refuse(SignatureMalformed, "the certificate's address is not of the provider's documented form")
	}
	return nil
}

// keys returns the keys that may have signed a message naming this address.
func (c *certificates) keys(ctx context.Context, address string, now time.Time) ([]rsaKey, error) {
	if err := c.checkAddress(address); err != nil {
		return nil, err
	}
	if len(c.pinned) > 0 {
		return c.current(now)
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

// current returns the pinned keys that may be used now.
func (c *certificates) current(now time.Time) ([]rsaKey, error) {
	if !c.dated {
		return c.pinned, nil
	}
	var good []rsaKey
	for _, k := range c.pinned {
		if k.notAfter.IsZero() || !now.Before(k.notBefore) && !now.After(k.notAfter) {
			good = append(good, k)
		}
	}
	if len(good) == 0 {
		return nil, refuse(SignatureMismatch,
			"the pinned certificate has expired or is not valid yet: pin the provider's current one, or none to have it fetched")
	}
	return good, nil
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
