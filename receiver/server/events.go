package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

// maxListed bounds one page of events.
const maxListed = 1000

// listEvents answers GET /events?endpoint=ns/name&status=&type=&target=&since=&limit=&cursor=.
func (s *Server) listEvents(w http.ResponseWriter, r *http.Request) {
	uid, filter, err := s.selection(r.URL.Query())
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	page, err := s.options.Store.List(r.Context(), uid, filter)
	if err != nil {
		writeStoreError(w, err)
		return
	}
	if page.Events == nil {
		page.Events = []queue.Summary{}
	}
	writeJSON(w, http.StatusOK, page)
}

// getEvent answers GET /events/{id}?endpoint=ns/name.
func (s *Server) getEvent(w http.ResponseWriter, r *http.Request) {
	uid, err := s.endpointUID(r.URL.Query())
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	record, err := s.options.Store.Get(r.Context(), uid, r.PathValue("id"))
	if err != nil {
		writeStoreError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, record)
}

// replayEvent answers POST /events/{id}/replay?endpoint=ns/name with the body
// {"targets": […]}, or with none for all targets that the endpoint still has.
func (s *Server) replayEvent(w http.ResponseWriter, r *http.Request) {
	uid, named, err := s.eventTargets(w, r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	targets, err := s.reachable(r.Context(), uid, r.PathValue("id"), named)
	if err != nil {
		writeStoreError(w, err)
		return
	}
	count, err := s.options.Store.Replay(r.Context(), uid, r.PathValue("id"), targets)
	s.replayed(w, uid, count, err)
}

// errUnreachable is of replays to targets that no route leads to.
var errUnreachable = errors.New("nothing would deliver it")

// reachable are the named targets of an event, all that the endpoint still has if
// none is named. A target that it has no longer is an error: what is due there is
// delivered to nobody.
func (s *Server) reachable(ctx context.Context, uid, id string, named []string) ([]string, error) {
	current, loaded := s.targetsOf(uid)
	if !loaded {
		return nil, fmt.Errorf("%w: the endpoint is not loaded", errUnreachable)
	}
	for _, name := range named {
		if !slices.Contains(current, name) {
			return nil, fmt.Errorf("%w: the endpoint has no target %q; it has %s",
				errUnreachable, name, strings.Join(current, ", "))
		}
	}
	if len(named) > 0 {
		return named, nil
	}
	record, err := s.options.Store.Get(ctx, uid, id)
	if err != nil {
		return nil, err
	}
	var targets, gone []string
	for _, state := range record.Targets {
		if slices.Contains(current, state.Target) {
			targets = append(targets, state.Target)
		} else {
			gone = append(gone, state.Target)
		}
	}
	if len(targets) == 0 {
		return nil, fmt.Errorf("%w: the endpoint no longer has the event's targets %s",
			errUnreachable, strings.Join(gone, ", "))
	}
	return targets, nil
}

// replayDead answers POST /replay-dead?endpoint=ns/name&type=&target=&since=&limit=.
// Dead letters of targets that the endpoint has no longer are left alone.
func (s *Server) replayDead(w http.ResponseWriter, r *http.Request) {
	uid, filter, err := s.selection(r.URL.Query())
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	current, loaded := s.targetsOf(uid)
	if !loaded || filter.Target != "" && !slices.Contains(current, filter.Target) {
		writeStoreError(w, fmt.Errorf("%w: the endpoint has no target %q; it has %s",
			errUnreachable, filter.Target, strings.Join(current, ", ")))
		return
	}
	filter.Among = current
	count, err := s.options.Store.ReplayDead(r.Context(), uid, filter)
	s.replayed(w, uid, count, err)
}

func (s *Server) replayed(w http.ResponseWriter, uid string, count int, err error) {
	if err != nil {
		writeStoreError(w, err)
		return
	}
	if endpoint := s.table.Get().ByUID(uid); endpoint != nil {
		for _, target := range endpoint.Route.Targets {
			s.options.Engine.Wake(queue.ID{EndpointUID: uid, Target: target.Name})
		}
	}
	writeJSON(w, http.StatusOK, map[string]int{"replayed": count})
}

// discardEvent answers POST /events/{id}/discard?endpoint=ns/name with the body
// {"targets": […]}, or with none for all targets where the event is dead.
func (s *Server) discardEvent(w http.ResponseWriter, r *http.Request) {
	uid, targets, err := s.eventTargets(w, r)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	count, err := s.options.Store.Discard(r.Context(), uid, r.PathValue("id"), targets)
	s.discarded(w, count, err)
}

// discardDead answers POST /discard-dead?endpoint=ns/name&type=&target=&since=&limit=.
func (s *Server) discardDead(w http.ResponseWriter, r *http.Request) {
	uid, filter, err := s.selection(r.URL.Query())
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	count, err := s.options.Store.DiscardDead(r.Context(), uid, filter)
	s.discarded(w, count, err)
}

func (s *Server) discarded(w http.ResponseWriter, count int, err error) {
	if err != nil {
		writeStoreError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, map[string]int{"discarded": count})
}

// eventTargets reads the endpoint and the targets that a request about one event names.
func (s *Server) eventTargets(w http.ResponseWriter, r *http.Request) (uid string, targets []string, err error) {
	uid, err = s.endpointUID(r.URL.Query())
	if err != nil {
		return "", nil, err
	}
	var request struct {
		Targets []string `json:"targets"`
	}
	err = json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&request)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return uid, request.Targets, err
}

// endpointUID reads endpoint=ns/name, or uid= for one that is no longer loaded.
func (s *Server) endpointUID(query url.Values) (string, error) {
	if uid := query.Get("uid"); uid != "" {
		return uid, nil
	}
	name := query.Get("endpoint")
	if name == "" {
		return "", errors.New("endpoint: must be namespace/name")
	}
	for _, endpoint := range s.table.Get().Endpoints() {
		if endpoint.Route.Namespace+"/"+endpoint.Route.Name == name {
			return endpoint.Route.UID, nil
		}
	}
	return "", fmt.Errorf("endpoint: %q is not loaded; for one that is gone give its uid", name)
}

func (s *Server) selection(query url.Values) (string, queue.Filter, error) {
	filter := queue.Filter{
		Status: queue.Status(query.Get("status")),
		Type:   query.Get("type"),
		Target: query.Get("target"),
		Cursor: query.Get("cursor"),
	}
	switch filter.Status {
	case "", queue.StatusPending, queue.StatusDelivered, queue.StatusDead:
	default:
		return "", filter, fmt.Errorf("status: %q is none of pending, delivered, dead", filter.Status)
	}
	var err error
	if text := query.Get("since"); text != "" {
		if filter.Since, err = parseSince(text, s.options.Now()); err != nil {
			return "", filter, err
		}
	}
	if text := query.Get("limit"); text != "" {
		if filter.Limit, err = strconv.Atoi(text); err != nil || filter.Limit < 1 || filter.Limit > maxListed {
			return "", filter, fmt.Errorf("limit: %q is not a number from 1 to %d", text, maxListed)
		}
	}
	uid, err := s.endpointUID(query)
	return uid, filter, err
}

// parseSince reads a point in time (RFC 3339) or how long ago it was (1h30m).
func parseSince(text string, now time.Time) (time.Time, error) {
	if since, err := time.Parse(time.RFC3339, text); err == nil {
		return since, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf(
		"since: %q is neither a time such as 2006-01-02T15:04:05Z nor a duration such as 1h", text)
}

func writeStoreError(w http.ResponseWriter, err error) {
	if errors.Is(err, queue.ErrNotFound) {
		writeError(w, http.StatusNotFound, "no such event is kept")
		return
	}
	if errors.Is(err, errUnreachable) {
		writeError(w, http.StatusConflict, err.Error())
		return
	}
	writeError(w, http.StatusServiceUnavailable, err.Error())
}
