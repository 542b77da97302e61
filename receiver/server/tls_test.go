package server_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/receiver/server"
	"github.com/postern-dev/postern/test/wait"
)

// writePair makes a self-signed pair for 127.0.0.1 with that serial number.
func writePair(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"tls.crt": {Type: "CERTIFICATE", Bytes: certificate},
		"tls.key": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// serial says which certificate the server shows.
func serial(t *testing.T, w *world) int64 {
	t.Helper()
	conn, err := tls.Dial("tcp", w.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func TestRotatedCertificateIsServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writePair(t, dir, 1)
	w := start(t, newTarget(t, nil).URL, func(o *server.Options) { o.TLSCertDir = dir })
	w.load(t, routetest.GitHub("hook"))
	if got := serial(t, w); got != 1 {
		t.Fatalf("certificate %d", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "tls.crt"), []byte("half-written"), 0o600); err != nil {
		t.Fatal(err)
	}
	wait.Until(t, "the broken pair is noticed", func() bool {
		if got := serial(t, w); got != 1 {
			t.Fatalf("certificate %d", got)
		}
		return bytes.Contains([]byte(w.log.String()), []byte("Rotated certificate was not read"))
	})
	writePair(t, dir, 2)
	wait.Until(t, "the rotated pair is served", func() bool { return serial(t, w) == 2 })
}

func TestProtocols(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writePair(t, dir, 1)
	secure := start(t, newTarget(t, nil).URL, func(o *server.Options) { o.TLSCertDir = dir })
	plain := start(t, newTarget(t, nil).URL)
	for name, test := range map[string]struct {
		world    *world
		scheme   string
		protocol func(*http.Protocols)
		want     string
	}{
		"HTTP/1.1":             {plain, "http", func(p *http.Protocols) { p.SetHTTP1(true) }, "HTTP/1.1"},
		"HTTP/2 in clear text": {plain, "http", func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }, "HTTP/2.0"},
		"HTTP/1.1 over TLS":    {secure, "https", func(p *http.Protocols) { p.SetHTTP1(true) }, "HTTP/1.1"},
		"HTTP/2 over TLS":      {secure, "https", func(p *http.Protocols) { p.SetHTTP2(true) }, "HTTP/2.0"},
	} {
		test.world.load(t, routetest.GitHub("hook"))
		protocols := new(http.Protocols)
		test.protocol(protocols)
		transport := &http.Transport{
			Protocols:       protocols,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		}
		request := test.world.pushRequest(t, name)
		request.URL.Scheme = test.scheme
		response, err := (&http.Client{Transport: transport}).Do(request)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = response.Body.Close()
		transport.CloseIdleConnections()
		if response.Proto != test.want || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %d", name, response.Proto, response.StatusCode)
		}
	}
}
