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
// base64 of its DER form.
func parsePublicKey(k key) (crypto.PublicKey, error) {
	block, _ := pem.Decode([]byte(k.text))
	if block == nil {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(k.text), ""))
		if err != nil {
			return nil, badKey(k.name, "is neither PEM nor base64: copy the public key as the provider shows it")
		}
		block = &pem.Block{Bytes: der}
	}
	if block.Type == "CERTIFICATE" {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, badKey(k.name, "is not a valid certificate")
		}
		return certificate.PublicKey, nil
	}
	return parseDER(k, block.Bytes)
}

func parseDER(k key, der []byte) (crypto.PublicKey, error) {
	if public, err := x509.ParsePKIXPublicKey(der); err == nil {
		return public, nil
	}
	if public, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return public, nil
	}
	return nil, badKey(k.name, "is not a public key: copy it as the provider shows it")
}

func parseRSA(k key) (*rsa.PublicKey, error) {
	public, err := parsePublicKey(k)
	if err != nil {
		return nil, err
	}
	parsed, ok := public.(*rsa.PublicKey)
	if !ok {
		return nil, badKey(k.name, "is not an RSA key, which this provider signs with")
	}
	return parsed, nil
}

func parseECDSA(k key) (*ecdsa.PublicKey, error) {
	public, err := parsePublicKey(k)
	if err != nil {
		return nil, err
	}
	parsed, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return nil, badKey(k.name, "is not an ECDSA key, which this provider signs with")
	}
	return parsed, nil
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
}

func parseRSAKeys(keys []key) ([]rsaKey, error) {
	parsed := make([]rsaKey, 0, len(keys))
	for _, k := range keys {
		public, err := parseRSA(k)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, rsaKey{k.name, public})
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
