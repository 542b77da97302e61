package world

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/kube"
)

// ticksPerSecond is the unit of CPU time in /proc, the same on every Linux.
const ticksPerSecond = 100

// get reads a JSON answer of a receiver's internal port.
func (w *World) get(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := w.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(url + " answers " + response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// loaded is an endpoint as a receiver has it; the zero value when it has none.
type loaded struct {
	Namespace, Name, Hash string
	Generation            int64
}

func (w *World) loaded(ctx context.Context, r *Receiver, name string) (loaded, error) {
	var routes struct{ Routes []loaded }
	if err := w.get(ctx, r.Internal+"/routes", &routes); err != nil {
		return loaded{}, err
	}
	for _, route := range routes.Routes {
		if route.Namespace+"/"+route.Name == name {
			return route, nil
		}
	}
	return loaded{}, nil
}

// awaitRoute waits until a receiver has an endpoint as wanted.
func (w *World) awaitRoute(ctx context.Context, r *Receiver, name string, wanted func(loaded) bool) error {
	return kube.Until(ctx, r.Name+" to follow a change of "+name, Patience, func(ctx context.Context) error {
		now, err := w.loaded(ctx, r, name)
		if err == nil && !wanted(now) {
			err = fmt.Errorf("it has generation %d", now.Generation)
		}
		return err
	})
}

// Observe writes samples of every process, and scrapes of the receivers, until
// the context ends.
func (w *World) Observe(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		w.Sample(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Sample writes one sample of every process, and a scrape of every receiver,
// and returns the number of deliveries pending; -1 when no receiver says so.
func (w *World) Sample(ctx context.Context) float64 {
	pending := -1.0
	for _, r := range w.Receivers {
		pid := r.PID()
		values := used(pid)
		began := time.Now()
		scrape, err := w.scrape(ctx, r)
		values[history.ValueReady] = 0
		if err == nil {
			if r.Ready(ctx) {
				values[history.ValueReady] = 1
			}
			pending = max(pending, scrape.pending)
			values[history.ValuePending] = scrape.pending
			w.options.History.Write(history.Record{Scrape: &history.Scrape{
				Process: r.Name, PID: pid, TookNanos: int64(time.Since(began)), Endpoints: scrape.endpoints,
				MarksDropped: scrape.marksDropped,
			}})
		}
		if ctx.Err() != nil {
			return pending // a question that was broken off says nothing of the receiver
		}
		w.options.History.Write(history.Record{Sample: &history.Sample{Process: r.Name, Values: values}})
	}
	for _, s := range w.Stores {
		values := used(s.PID())
		s.values(ctx, values)
		w.options.History.Write(history.Record{Sample: &history.Sample{Process: s.Name, Values: values}})
	}
	return pending
}

// SampleBacklog is Sample with what the store itself says to be pending, which
// is dearer to ask for: 0 means that there is nothing for sure.
func (w *World) SampleBacklog(ctx context.Context, endpoints []*Endpoint) (pending float64, err error) {
	for _, e := range endpoints {
		page, err := w.list(ctx, e, "pending", "")
		if err != nil {
			return 0, err
		}
		pending += float64(len(page.Events))
	}
	if pending > 0 {
		w.Sample(ctx)
	}
	w.options.History.Write(history.Record{Sample: &history.Sample{
		Process: w.Receivers[0].Name, Values: map[string]float64{history.ValuePending: pending, history.ValueReady: 1},
	}})
	return pending, nil
}

// used is what a process uses, as /proc tells.
func used(pid int) map[string]float64 {
	values := map[string]float64{}
	if pid == 0 {
		return values
	}
	folder := filepath.Join("/proc", strconv.Itoa(pid))
	if entries, err := os.ReadDir(filepath.Join(folder, "fd")); err == nil {
		values[history.ValueFDs] = float64(len(entries))
	}
	data, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return values
	}
	// The name of the program may hold blanks; behind it everything is a number.
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 22 {
		return values
	}
	number := func(i int) float64 {
		value, _ := strconv.ParseFloat(fields[i], 64) // the kernel writes numbers
		return value
	}
	values[history.ValueCPU] = (number(11) + number(12)) / ticksPerSecond
	values[history.ValueRSS] = number(21) * float64(os.Getpagesize())
	return values
}

// scraped is what the metrics of a receiver say.
type scraped struct {
	pending      float64
	marksDropped int64
	endpoints    map[string]history.Counts
}

func (w *World) scrape(ctx context.Context, r *Receiver) (*scraped, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Internal+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := w.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return parseMetrics(response.Body)
}

// parseMetrics reads the few series that the suite needs.
func parseMetrics(in io.Reader) (*scraped, error) {
	s := &scraped{endpoints: map[string]history.Counts{}}
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		name, labels, value, ok := series(scanner.Text())
		if !ok {
			continue
		}
		endpoint := labels["namespace"] + "/" + labels["endpoint"]
		counts := s.endpoints[endpoint]
		switch name {
		case "postern_events_pending":
			s.pending += value
			continue
		case "postern_dedup_marks_dropped_total":
			s.marksDropped = int64(value)
			continue
		}
		if counter := counterOf(&counts, name, labels["outcome"]); counter != nil {
			*counter += int64(value)
			s.endpoints[endpoint] = counts
		}
	}
	return s, scanner.Err()
}

// counterOf is the count that a series is part of; nil for others.
func counterOf(counts *history.Counts, name, outcome string) *int64 {
	switch name + " " + outcome {
	case "postern_requests_total accepted":
		return &counts.Accepted
	case "postern_requests_total duplicate":
		return &counts.Duplicate
	case "postern_requests_total ignored":
		return &counts.Ignored
	case "postern_requests_total rejected":
		return &counts.Rejected
	case "postern_deliveries_total delivered":
		return &counts.Delivered
	case "postern_deliveries_total dead":
		return &counts.Dead
	}
	return nil
}

// series splits name{label="value",…} number; label values of these series need
// no escapes.
func series(line string) (name string, labels map[string]string, value float64, ok bool) {
	name, rest, found := strings.Cut(line, "{")
	text, number, closed := strings.Cut(rest, "} ")
	if !found {
		name, number, closed = strings.Cut(line, " ")
	}
	if !closed || !strings.HasPrefix(name, "postern_") {
		return "", nil, 0, false
	}
	value, err := strconv.ParseFloat(number, 64)
	labels = map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		key, quoted, _ := strings.Cut(pair, "=")
		labels[key] = strings.Trim(quoted, `"`)
	}
	return name, labels, value, err == nil
}

// burial is how long a dead letter that must come may take.
const burial = 20 * time.Second

// AwaitDead waits until some endpoint has a dead letter for a reason.
func (w *World) AwaitDead(ctx context.Context, endpoints []*Endpoint, reason string) error {
	return kube.Until(ctx, "a dead letter as "+reason, burial, func(ctx context.Context) error {
		for _, e := range endpoints {
			page, err := w.list(ctx, e, "dead", "")
			if err != nil {
				return err
			}
			for _, event := range page.Events {
				for _, target := range event.Targets {
					if target.Reason == reason {
						return nil
					}
				}
			}
		}
		return errors.New("there is none")
	})
}

// listed is a page of events as a receiver lists them.
type listed struct {
	Events []struct {
		ID         string
		DeliveryID string
		Targets    []struct{ Target, Status, Reason string }
	}
	Next string
}

// Discard gives up some dead letters of an endpoint and writes that down.
func (w *World) Discard(ctx context.Context, e *Endpoint, most int) (count int, err error) {
	page, err := w.list(ctx, e, "dead", "")
	if err != nil {
		return 0, err
	}
	for _, event := range page.Events {
		for _, target := range event.Targets {
			if target.Status != "dead" || count == most {
				continue
			}
			if err := w.discard(ctx, e, event.ID, target.Target); err != nil {
				return count, err
			}
			count++
			w.options.History.Write(history.Record{Admin: &history.Admin{
				Action: history.ActionDiscard, Endpoint: e.Name, Target: e.Name + "/" + target.Target, ID: event.DeliveryID,
				Detail: target.Reason,
			}})
		}
	}
	return count, nil
}

func (w *World) discard(ctx context.Context, e *Endpoint, id, target string) error {
	address := w.Receivers[0].Internal + "/events/" + id + "/discard?" + url.Values{"endpoint": {e.Name}}.Encode()
	body := strings.NewReader(fmt.Sprintf(`{"targets": [%q]}`, target))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := w.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer struct{ Discarded int }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Discarded != 1 {
		return fmt.Errorf("%s was answered %s: %d were discarded, want 1", address, response.Status, answer.Discarded)
	}
	return nil
}

func (w *World) list(ctx context.Context, e *Endpoint, status, cursor string) (*listed, error) {
	query := url.Values{"endpoint": {e.Name}, "status": {status}, "limit": {strconv.Itoa(pageSize)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	page := &listed{}
	if err := w.get(ctx, w.Receivers[0].Internal+"/events?"+query.Encode(), page); err != nil {
		return nil, fmt.Errorf("list what is %s at %s: %w", status, e.Name, err)
	}
	return page, nil
}

// pageSize is how many events are asked for at a time.
const pageSize = 500

// WriteDead writes down the dead letters of endpoints, as a receiver lists them.
func (w *World) WriteDead(ctx context.Context, endpoints []*Endpoint) error {
	for _, e := range endpoints {
		cursor := ""
		for {
			next, err := w.writeDeadPage(ctx, e, cursor)
			if err != nil {
				return err
			}
			if cursor = next; cursor == "" {
				break
			}
		}
	}
	return nil
}

func (w *World) writeDeadPage(ctx context.Context, e *Endpoint, cursor string) (string, error) {
	page, err := w.list(ctx, e, "dead", cursor)
	if err != nil {
		return "", err
	}
	for _, event := range page.Events {
		for _, target := range event.Targets {
			if target.Status == "dead" {
				w.options.History.Write(history.Record{Dead: &history.Dead{
					Target: e.Name + "/" + target.Target, ID: event.DeliveryID, EventID: event.ID, Reason: target.Reason,
				}})
			}
		}
	}
	return page.Next, nil
}
