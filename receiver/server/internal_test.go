package server

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestEventsAreForLoopbackOnly asks as another pod would, and as a port-forward.
func TestEventsAreForLoopbackOnly(t *testing.T) {
	t.Parallel()
	handler := loopbackOnly(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for peer, want := range map[string]int{
		"127.0.0.1:5": 204, "127.8.8.8:5": 204, "[::1]:5": 204, "[::ffff:127.0.0.1]:5": 204,
		"10.0.0.1:5": 403, "[2001:db8::1]:5": 403, "[::ffff:10.0.0.1]:5": 403, "": 403, "pipe": 403,
	} {
		request := httptest.NewRequest(http.MethodGet, "/events", nil)
		request.RemoteAddr = peer
		request.Header.Set("X-Forwarded-For", "127.0.0.1")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("from %q: %d, want %d", peer, answer.Code, want)
		}
	}
}
