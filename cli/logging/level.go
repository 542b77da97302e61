package logging

import (
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// LevelHandler tells the level (GET) and changes it (PUT {"level":"debug"}) for
// as long as the process runs. It serves loopback only: those whom the cluster
// lets forward a port.
func LevelHandler(level *slog.LevelVar, logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /loglevel", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "level", strings.ToLower(level.Level().String()))
	})
	mux.HandleFunc("PUT /loglevel", func(w http.ResponseWriter, r *http.Request) {
		var wanted struct {
			Level string `json:"level"`
		}
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&wanted); err != nil {
			refuse(w, http.StatusBadRequest, `the body must be JSON such as {"level":"debug"}`)
			return
		}
		parsed, err := parse(wanted.Level)
		if err != nil {
			refuse(w, http.StatusBadRequest, "level: "+err.Error())
			return
		}
		change(level, parsed, logger)
		answer(w, http.StatusOK, "level", strings.ToLower(parsed.String()))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		if addr, err := netip.ParseAddr(host); err != nil || !addr.Unmap().IsLoopback() {
			refuse(w, http.StatusForbidden, "the level is served to loopback only: use a port-forward")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// change sets the level, and tells so whatever the level is.
func change(level *slog.LevelVar, to slog.Level, logger *slog.Logger) {
	from := level.Level()
	level.Set(min(from, to, slog.LevelInfo))
	logger.Info("Log level changed", "from", from.String(), "to", to.String())
	level.Set(to)
}

func answer(w http.ResponseWriter, status int, name, text string) {
	body, err := json.Marshal(map[string]string{name: text})
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a peer that has gone gets no answer
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, "error", message)
}
