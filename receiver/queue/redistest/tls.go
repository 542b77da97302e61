package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates for tests. Its directory has ca.crt, tls.crt and
// tls.key, as a Secret for a client has them.
type Authority struct {
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes an authority, with a certificate for a client.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{dir: tempDir(t)}
	template := certificate("Postern test authority")
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.certificate, a.key = template, newKey(t)
	writePEM(t, filepath.Join(a.dir, "ca.crt"), "CERTIFICATE", a.sign(t, template, a.key))
	a.Issue(t, a.dir, "client")
	return a
}

// Dir is the directory of the client's files.
func (a *Authority) Dir() string { return a.dir }

// Copy puts the client's files into another directory.
func (a *Authority) Copy(t testing.TB, dir string) {
	t.Helper()
	for _, name := range []string{"ca.crt", "tls.crt", "tls.key"} {
		content, err := os.ReadFile(filepath.Join(a.dir, name))
		if err != nil {
			t.Fatalf("reading a certificate: %v", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatalf("copying a certificate: %v", err)
		}
	}
}

// Issue writes tls.crt and tls.key for the loopback address into a directory.
func (a *Authority) Issue(t testing.TB, dir, name string) {
	t.Helper()
	template, key := certificate(name), newKey(t)
	template.DNSNames, template.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	writePEM(t, filepath.Join(dir, "tls.crt"), "CERTIFICATE", a.sign(t, template, key))
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatalf("encoding a key: %v", err)
	}
	writePEM(t, filepath.Join(dir, "tls.key"), "PRIVATE KEY", encoded)
}

// WithTLS has the server listen on a TLS port only, with a certificate of the
// authority. clients is yes or no: whether they must show one too.
func WithTLS(t testing.TB, authority *Authority, clients string) Option {
	t.Helper()
	port, dir := freePort(t), tempDir(t)
	authority.Issue(t, dir, "server")
	return func(s *Server) {
		s.port, s.encrypted = port, []string{
			"--tls-port", port, "--port", "0", "--tls-auth-clients", clients,
			"--tls-cert-file", filepath.Join(dir, "tls.crt"), "--tls-key-file", filepath.Join(dir, "tls.key"),
			"--tls-ca-cert-file", filepath.Join(authority.dir, "ca.crt"), "--tls-replication", "yes",
		}
		s.args = append(s.args, "--bind", "127.0.0.1")
		s.args = append(s.args, s.encrypted...)
	}
}

func certificate(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // never fails
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("making a key: %v", err)
	}
	return key
}

func (a *Authority) sign(t testing.TB, template *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	signed, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatalf("signing a certificate: %v", err)
	}
	return signed
}

func writePEM(t testing.TB, path, kind string, content []byte) {
	t.Helper()
	encoded := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content})
	if err := os.WriteFile(path, encoded, 0o600); err != nil {
		t.Fatalf("writing %s: %v", path, err)
	}
}
