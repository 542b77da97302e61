package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// certificateCheckEvery is how often the files are looked at, at most.
const certificateCheckEvery = time.Second

// keyPair serves the certificate of a directory and follows its rotation.
type keyPair struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	checked time.Time
	version string
	current *tls.Certificate
}

func newKeyPair(dir string, log *slog.Logger) (*keyPair, error) {
	k := &keyPair{certFile: filepath.Join(dir, "tls.crt"), keyFile: filepath.Join(dir, "tls.key"), log: log}
	if err := k.reload(); err != nil {
		return nil, fmt.Errorf("certificate of the public listener: %w", err)
	}
	return k, nil
}

// get is called for every handshake. A pair that cannot be read leaves the
// last one in use.
func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.checked) >= certificateCheckEvery {
		if err := k.reload(); err != nil {
			k.log.Error("Rotated certificate was not read, the last one stays in use", "error", err)
		}
	}
	return k.current, nil
}

// reload reads the pair if the files changed. The caller holds the lock,
// except before the first use.
func (k *keyPair) reload() error {
	k.checked = time.Now()
	version := ""
	for _, path := range []string{k.certFile, k.keyFile} {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		version += fmt.Sprintf("%s %d %d\n", path, info.ModTime().UnixNano(), info.Size())
	}
	if version == k.version {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err != nil {
		return err
	}
	k.version, k.current = version, &pair
	return nil
}
