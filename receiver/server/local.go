package server

import (
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// noForeignPage refuses what a browser sends for a page that is not this
// server's own. A page that a developer visits must not read events from a port
// of the machine, nor through a port-forward.
func noForeignPage(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if problem := foreignPage(r); problem != "" {
			writeError(w, http.StatusForbidden, problem)
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// foreignPage says what is foreign about a request, or nothing. A browser names
// the page in Origin and Sec-Fetch-Site; after a DNS rebinding it takes the page
// for this server's own, but then Host is the page's name.
func foreignPage(r *http.Request) string {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return "Sec-Fetch-Site: a page of another site may not use this server"
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		if origin != "http://"+r.Host {
			return "Origin: a page of another origin may not use this server"
		}
	}
	if isLoopback(r.RemoteAddr) && !isAddress(r.Host) && !isLocalhost(r.Host) {
		return "Host: must be localhost or an address"
	}
	return ""
}

// loopbackOnly serves peers of the same network namespace that ask for a
// loopback address: a port-forward comes from there, another pod does not.
func loopbackOnly(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.RemoteAddr) || !isLoopback(r.Host) && !isLocalhost(r.Host) {
			writeError(w, http.StatusForbidden,
				"served to loopback only: use a port-forward, and localhost or 127.0.0.1 as the host")
			return
		}
		handler(w, r)
	}
}

// jsonOnly refuses bodies that a browser would send for any page without asking.
func jsonOnly(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/json" {
			writeError(w, http.StatusUnsupportedMediaType, "Content-Type: must be application/json")
			return
		}
		handler(w, r)
	}
}

// hostOf returns the host of "host", "host:port", "[v6]" or "[v6]:port".
func hostOf(hostPort string) string {
	if host, _, err := net.SplitHostPort(hostPort); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostPort, "["), "]")
}

func isAddress(hostPort string) bool {
	_, err := netip.ParseAddr(hostOf(hostPort))
	return err == nil
}

func isLoopback(hostPort string) bool {
	addr, err := netip.ParseAddr(hostOf(hostPort))
	return err == nil && addr.Unmap().IsLoopback()
}

func isLocalhost(hostPort string) bool { return strings.EqualFold(hostOf(hostPort), "localhost") }
