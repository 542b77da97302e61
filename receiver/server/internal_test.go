package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// answerTo is the status that the internal server's rules give to a request.
func answerTo(peer, host string, header http.Header) int {
	handler := noForeignPage(loopbackOnly(jsonOnly(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})))
	request := httptest.NewRequest(http.MethodPost, "/replay-dead", nil)
	request.RemoteAddr, request.Host = peer, host
	request.Header.Set("Content-Type", "application/json")
	for name, values := range header {
		request.Header[name] = values
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	return answer.Code
}

// TestEventsAreForLoopbackOnly asks as another pod would, and as a port-forward.
func TestEventsAreForLoopbackOnly(t *testing.T) {
	t.Parallel()
	for peer, want := range map[string]int{
		"127.0.0.1:5": 204, "127.8.8.8:5": 204, "[::1]:5": 204, "[::ffff:127.0.0.1]:5": 204,
		"10.0.0.1:5": 403, "[2001:db8::1]:5": 403, "[::ffff:10.0.0.1]:5": 403, "": 403, "pipe": 403,
	} {
		if got := answerTo(peer, "localhost:8081", http.Header{"X-Forwarded-For": {"127.0.0.1"}}); got != want {
			t.Errorf("from %q: %d, want %d", peer, got, want)
		}
	}
}

// TestPagesCannotUseTheInternalServer sends what a browser sends for a page of
// another site: by its address, by a name that leads here, and by a form.
func TestPagesCannotUseTheInternalServer(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]int{
		"localhost": 204, "localhost:8081": 204, "LOCALHOST:1": 204, "127.0.0.1:8081": 204, "127.0.0.9": 204, "[::1]:8081": 204,
		"[::1]": 204, "evil.example": 403, "evil.example:8081": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403,
		"10.0.0.1:8081": 403, "": 403, "localhost.": 403, "a.localhost": 403, "0.0.0.0:8081": 403,
	} {
		if got := answerTo("127.0.0.1:5", host, nil); got != want {
			t.Errorf("Host %q: %d, want %d", host, got, want)
		}
	}
	for name, values := range map[string]map[string]int{
		"Origin": {
			"http://localhost:8081": 204, "http://evil.example": 403, "null": 403, "http://localhost:3000": 403,
			"https://localhost:8081": 403, "": 403,
		},
		"Sec-Fetch-Site": {"same-origin": 204, "none": 204, "cross-site": 403, "same-site": 403},
		"Content-Type": {
			"application/json; charset=utf-8": 204, "text/plain": 415, "application/x-www-form-urlencoded": 415, "": 415,
			"multipart/form-data; boundary=x": 415, "text/plain; application/json": 415,
		},
	} {
		for value, want := range values {
			if got := answerTo("127.0.0.1:5", "localhost:8081", http.Header{name: {value}}); got != want {
				t.Errorf("%s %q: %d, want %d", name, value, got, want)
			}
		}
	}
}

// TestScrapersAndProbesAreServed: what is no page is asked for by a pod's
// address or by a Service's name, also through a proxy in the pod.
func TestScrapersAndProbesAreServed(t *testing.T) {
	t.Parallel()
	handler := noForeignPage(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	for _, c := range []struct {
		peer, host string
		want       int
	}{
		{"10.0.0.1:5", "10.1.1.1:8081", 204}, {"10.0.0.1:5", "postern-receiver.postern-system.svc:8081", 204},
		{"127.0.0.6:5", "10.1.1.1:8081", 204}, {"127.0.0.1:5", "evil.example:8081", 403},
	} {
		request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		request.RemoteAddr, request.Host = c.peer, c.host
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != c.want {
			t.Errorf("from %s to %s: %d, want %d", c.peer, c.host, answer.Code, c.want)
		}
	}
}
