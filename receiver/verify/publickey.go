package verify

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"time"
)

// publicMaterial returns the public keys or certificates of an endpoint: those
// of the Secret, and those of the named options.
func publicMaterial(m material, options ...string) []key {
	keys := m.keys
	for _, name := range options {
		if text := strings.TrimSpace(m.options[name]); text != "" {
			keys = append(keys[:len(keys):len(keys)], key{name: fromOptions + name, text: text})
		}
	}
	return keys
}

// parsePublicKey reads a public key as PEM, as a PEM certificate, or as the
// base64 of its DER form, which kind describes. What else a value may be is in
// no error: it may be a Secret that the endpoint's author cannot read.
func parsePublicKey[K crypto.PublicKey](k key, kind string) (K, error) {
	public, ok := readPublicKey(k.text).(K)
	if !ok {
		return public, badKey(k.name, "is not %s in PEM or base64: copy it as the provider shows it", kind)
	}
	return public, nil
}

// readPublicKey returns nil for what is none.
func readPublicKey(text string) crypto.PublicKey {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil
		}
		block = &pem.Block{Bytes: der}
	}
	if block.Type == "CERTIFICATE" {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil
		}
		return certificate.PublicKey
	}
	if public, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
		return public
	}
	if public, err := x509.ParsePKCS1PublicKey(block.Bytes); err == nil {
		return public
	}
	return nil
}

func parseRSA(k key) (*rsa.PublicKey, error) {
	return parsePublicKey[*rsa.PublicKey](k, "an RSA public key")
}

func parseECDSA(k key) (*ecdsa.PublicKey, error) {
	return parsePublicKey[*ecdsa.PublicKey](k, "an ECDSA public key")
}

// parseCertificates reads a PEM chain, the signer first.
func parseCertificates(text []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errors.New("the certificate does not parse")
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, errors.New("there is no PEM certificate")
	}
	return chain, nil
}

// rsaKey is a pinned public key.
type rsaKey struct {
	name   string
	public *rsa.PublicKey
	// notBefore and notAfter are the dates of the certificate that the key stood
	// in; zero for a bare key.
	notBefore, notAfter time.Time
}

func parseRSAKeys(keys []key) ([]rsaKey, error) {
	parsed := make([]rsaKey, 0, len(keys))
	for _, k := range keys {
		public, err := parseRSA(k)
		if err != nil {
			return nil, err
		}
		pinned := rsaKey{name: k.name, public: public}
		if chain, err := parseCertificates([]byte(k.text)); err == nil {
			pinned.notBefore, pinned.notAfter = chain[0].NotBefore, chain[0].NotAfter
		}
		parsed = append(parsed, pinned)
	}
	return parsed, nil
}

// signedRSA returns the name of the key that signed the digest (PKCS #1 v1.5).
func signedRSA(keys []rsaKey, hash crypto.Hash, message, signature []byte) (string, bool) {
	h := hash.New()
	h.Write(message)
	digest := h.Sum(nil)
	for _, k := range keys {
		if rsa.VerifyPKCS1v15(k.public, hash, digest, signature) == nil {
			return k.name, true
		}
	}
	return "", false
}
