package server

import (
	"net/http"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/traffic"
)

// counted is what the hot path tells: metrics, the use of keys, and traffic.
type counted struct {
	*keyUse
	traffic *traffic.Counter
}

// Received is called for every event that was accepted.
func (c counted) Received(endpoint *route.Endpoint, eventType string) {
	c.keyUse.Received(endpoint, eventType)
	c.traffic.Accepted(endpoint)
}

// tellTraffic answers GET /traffic: numbers only, for the manager.
func (s *Server) tellTraffic(w http.ResponseWriter, _ *http.Request) {
	told := []traffic.Endpoint{}
	if inForce := s.table.Get(); inForce != nil {
		told = s.options.Traffic.Of(inForce.Routes())
	}
	writeJSON(w, http.StatusOK, map[string]any{"endpoints": told})
}
