package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// readHeaderTimeout and maxHeaderBytes bound what a connection costs before
	// it has said what it wants; bodies have a deadline of their own.
	readHeaderTimeout = 5 * time.Second
	maxHeaderBytes    = 16 << 10
	idleTimeout       = 60 * time.Second
)

func publicServer(options Options, handler http.Handler) (*http.Server, error) {
	server := newServer(options, handler)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	if options.TLSCertDir == "" {
		protocols.SetUnencryptedHTTP2(true)
	} else {
		protocols.SetHTTP2(true)
		keyPair, err := newKeyPair(options.TLSCertDir, options.Logger)
		if err != nil {
			return nil, err
		}
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: keyPair.get}
	}
	server.Protocols = protocols
	return server, nil
}

func internalServer(options Options, handler http.Handler) *http.Server {
	server := newServer(options, handler)
	server.ReadTimeout = 10 * time.Second
	return server
}

func newServer(options Options, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(options.Logger.Handler(), slog.LevelDebug),
	}
}

// listenPublic bounds the connections: further ones wait to be accepted.
func listenPublic(options Options) (net.Listener, error) {
	listener, err := net.Listen("tcp", options.Listen)
	if err != nil {
		return nil, fmt.Errorf("public listener: %w", err)
	}
	return netutil.LimitListener(listener, options.MaxConnections), nil
}
