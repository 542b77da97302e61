package queue

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// certificates are what connections to a store are made with.
type certificates struct {
	// authorities is nil where those of the system are to be believed.
	authorities *x509.CertPool
	own         []tls.Certificate
}

// loadCertificates reads ca.crt, and tls.crt with tls.key; what is not there is
// left out, but something must be.
func loadCertificates(dir string) (certificates, error) {
	var loaded certificates
	authority, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return loaded, fmt.Errorf("certificates for the store: %w", err)
	}
	if err == nil {
		loaded.authorities = x509.NewCertPool()
		if !loaded.authorities.AppendCertsFromPEM(authority) {
			return loaded, fmt.Errorf("certificates for the store: %s/ca.crt holds no PEM certificate", dir)
		}
	}
	certificate, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	if absent(certificate) && absent(key) {
		if loaded.authorities == nil {
			return loaded, fmt.Errorf("certificates for the store: %s has neither ca.crt nor tls.crt and tls.key", dir)
		}
		return loaded, nil
	}
	own, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return loaded, fmt.Errorf("certificates for the store: tls.crt and tls.key of %s: %w", dir, err)
	}
	loaded.own = []tls.Certificate{own}
	return loaded, nil
}

func absent(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}
