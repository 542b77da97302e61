package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// readHeaderTimeout and maxHeaderBytes bound what a connection costs before
	// it has said what it wants; bodies have a deadline of their own.
	readHeaderTimeout = 5 * time.Second
	maxHeaderBytes    = 16 << 10
	idleTimeout       = 60 * time.Second
	// answerTimeout is for the answers that the server gives by itself, to heads
	// that are malformed or too large. The handler has deadlines of its own.
	answerTimeout = 5 * time.Second
)

// http2Limits bound what one connection of HTTP/2 holds: requests at once, and
// bytes that have come before they are asked for. A peer that is gone, or that
// takes nothing, is noticed.
var http2Limits = http.HTTP2Config{
	MaxConcurrentStreams:          32,
	MaxReadFrameSize:              16 << 10,
	MaxReceiveBufferPerConnection: 256 << 10,
	MaxReceiveBufferPerStream:     256 << 10,
	SendPingTimeout:               30 * time.Second,
	PingTimeout:                   15 * time.Second,
	WriteByteTimeout:              10 * time.Second,
}

func publicServer(options Options, handler http.Handler) (*http.Server, error) {
	server := newServer(options, handler)
	limits := http2Limits
	server.HTTP2, server.WriteTimeout = &limits, answerTimeout
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

// listenPublic bounds the connections, in all and of each client.
func listenPublic(options Options) (net.Listener, error) {
	listener, err := net.Listen("tcp", options.Listen)
	if err != nil {
		return nil, fmt.Errorf("public listener: %w", err)
	}
	return newFairListener(listener, options.MaxConnections, options.TrustedProxies), nil
}
