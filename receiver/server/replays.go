package server

import (
	"net/http"

	"github.com/postern-dev/postern/receiver/replay"
	"github.com/postern-dev/postern/receiver/route"
)

// newReplays makes the runner of replays; they reach the targets that the table
// in force names and no others.
func (s *Server) newReplays() *replay.Runner {
	return replay.New(replay.Options{
		Store:   s.options.Store,
		Targets: s.targetsOf,
		Wake:    s.options.Engine.Wake,
		Logger:  s.options.Logger,
		Now:     s.options.Now,
	})
}

// SetReplays says which replays there are; see [replay.Runner.Set].
func (s *Server) SetReplays(replays []*route.Replay) { s.replays.Set(replays) }

func (s *Server) targetsOf(endpointUID string) (names []string, loaded bool) {
	endpoint := s.table.Get().ByUID(endpointUID)
	if endpoint == nil {
		return nil, false
	}
	for _, target := range endpoint.Route.Targets {
		names = append(names, target.Name)
	}
	return names, true
}

// tellReplays answers GET /replays: counts only, for the manager.
func (s *Server) tellReplays(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{"replays": s.replays.Progress()})
}
