package logging_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/logging"
)

func TestLevelHandler(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	level := new(slog.LevelVar)
	logger, err := logging.New(&out, logging.Options{Level: "error", Format: logging.FormatText, Running: level})
	if err != nil {
		t.Fatal(err)
	}
	handler := logging.LevelHandler(level, logger)
	ask := func(method, from, body string) (int, string) {
		request := httptest.NewRequest(method, "/loglevel", strings.NewReader(body))
		request.RemoteAddr = from
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		return answer.Code, answer.Body.String()
	}
	const here, elsewhere = "127.0.0.1:4711", "10.0.0.7:4711"
	for _, c := range []struct {
		name, method, from, body string
		status                   int
		want                     string
	}{
		{"tell", http.MethodGet, here, "", http.StatusOK, `{"level":"error"}`},
		{"another pod", http.MethodPut, elsewhere, `{"level":"debug"}`, http.StatusForbidden, "port-forward"},
		{"another pod asks", http.MethodGet, elsewhere, "", http.StatusForbidden, "port-forward"},
		{"no level", http.MethodPut, here, `{"level":"loud"}`, http.StatusBadRequest, "none of debug"},
		{"no JSON", http.MethodPut, here, "debug", http.StatusBadRequest, "must be JSON"},
		{"another method", http.MethodPost, here, "", http.StatusMethodNotAllowed, ""},
		{"still the same", http.MethodGet, here, "", http.StatusOK, `{"level":"error"}`},
		{"change", http.MethodPut, "[::1]:4711", `{"level":"debug"}`, http.StatusOK, `{"level":"debug"}`},
		{"changed", http.MethodGet, here, "", http.StatusOK, `{"level":"debug"}`},
	} {
		if status, body := ask(c.method, c.from, c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, body, c.status, c.want)
		}
	}
	logger.Debug("Told")
	for _, want := range []string{`msg="Log level changed" from=ERROR to=DEBUG`, "msg=Told"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, out.String())
		}
	}
}
