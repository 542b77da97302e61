package check

import (
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/postern-dev/postern/test/chaos/history"
)

// notReady is what a receiver without routes says.
const notReady = "not_ready"

// truth is what I9 needs: counts of the history beside those of the receivers.
type truth struct {
	// now is what the history has counted; incarnations what each process said.
	now          map[string]*tally
	incarnations map[string]*incarnation
	// ended are the processes that are gone, with what they may not have told.
	ended   []*incarnation
	scrapes int
}

// tally counts one endpoint.
type tally struct {
	// told are answers that were read and deliveries that succeeded.
	told history.Counts
	// unknown are requests without an answer, whose outcome anything may be.
	unknown int64
	// underWay are requests that have no answer yet.
	underWay int64
	// doubtful are deliveries whose answer a fault may have kept from the receiver.
	doubtful int64
}

// incarnation is one process from its start to its end.
type incarnation struct {
	pid  int
	said map[string]history.Counts
	// marks is what it said of dropped marks, and scraped when.
	marks   int64
	scraped int64
	// before and at are what was told by the last scrape but one, and by the last.
	before map[string]history.Counts
	at     map[string]history.Counts
	// lost is what was told from before on when the process ended: its counters
	// may lack any part of it.
	lost map[string]history.Counts
}

func newTruth() truth {
	return truth{now: map[string]*tally{}, incarnations: map[string]*incarnation{}}
}

func (t *truth) of(endpoint string) *tally {
	known, ok := t.now[endpoint]
	if !ok {
		known = &tally{}
		t.now[endpoint] = known
	}
	return known
}

func (t *truth) sent(endpoint string)   { t.of(endpoint).underWay++ }
func (t *truth) buried(endpoint string) { t.of(endpoint).told.Dead++ }

func (t *truth) delivered(endpoint string, doubtful bool) {
	now := t.of(endpoint)
	now.told.Delivered++
	if doubtful {
		now.doubtful++
	}
}

func (t *truth) answered(endpoint string, r *history.Response) {
	now := t.of(endpoint)
	now.underWay--
	switch {
	case r.Error == history.ErrorRefused:
	case r.Code == 0:
		now.unknown++
	case r.Code >= http.StatusBadRequest:
		t.rejected(endpoint, r)
	case r.Status == "accepted":
		now.told.Accepted++
	case r.Status == "duplicate":
		now.told.Duplicate++
	case r.Status == "ignored":
		now.told.Ignored++
	}
}

// rejected counts a refusal, but not those that are made before an endpoint is known.
func (t *truth) rejected(endpoint string, r *history.Response) {
	switch {
	case r.Code == 0 && r.Error != history.ErrorRefused:
		t.of(endpoint).unknown++
	case r.Code == http.StatusNotFound || r.Status == notReady:
	case r.Code >= http.StatusBadRequest:
		t.of(endpoint).told.Rejected++
	}
}

func (t *truth) snapshot() map[string]history.Counts {
	counts := make(map[string]history.Counts, len(t.now))
	for name, now := range t.now {
		counts[name] = now.told
	}
	return counts
}

func (t *truth) process(at int64, p *history.Process) {
	if !strings.HasPrefix(p.Name, underTest) {
		return
	}
	if old, ok := t.incarnations[p.Name]; ok {
		old.lost = difference(t.snapshot(), old.before)
		t.ended = append(t.ended, old)
		delete(t.incarnations, p.Name)
	}
	if p.Started {
		now := t.snapshot()
		t.incarnations[p.Name] = &incarnation{pid: p.PID, before: now, at: now, scraped: at}
	}
}

// dropped is how many marks the process had dropped by its last scrape, and when
// that was.
func (t *truth) dropped(s *history.Scrape) (marks, at int64) {
	process, ok := t.incarnations[s.Process]
	if !ok || process.pid != s.PID {
		return s.MarksDropped, 0
	}
	return process.marks, process.scraped
}

func (t *truth) scrape(at int64, s *history.Scrape) {
	process, ok := t.incarnations[s.Process]
	if !ok || process.pid != s.PID {
		return
	}
	t.scrapes++
	process.said, process.marks, process.scraped = s.Endpoints, s.MarksDropped, at
	process.before, process.at = process.at, t.snapshot()
}

func difference(from, minus map[string]history.Counts) map[string]history.Counts {
	left := make(map[string]history.Counts, len(from))
	for name, counts := range from {
		left[name] = subtract(counts, minus[name])
	}
	return left
}

func subtract(a, b history.Counts) history.Counts { return plus(a, b, -1) }
func sum(a, b history.Counts) history.Counts      { return plus(a, b, 1) }

func plus(a, b history.Counts, sign int64) history.Counts {
	return history.Counts{
		Accepted: a.Accepted + sign*b.Accepted, Duplicate: a.Duplicate + sign*b.Duplicate,
		Ignored: a.Ignored + sign*b.Ignored, Rejected: a.Rejected + sign*b.Rejected,
		Delivered: a.Delivered + sign*b.Delivered, Dead: a.Dead + sign*b.Dead,
	}
}

// judgeMetrics is I9: what the processes counted lies between what was told
// for certain and that plus what nobody was told.
func (c *checker) judgeMetrics() {
	t := &c.truth
	if t.scrapes == 0 {
		return
	}
	all := slices.Clone(t.ended)
	for _, process := range t.incarnations {
		// What was told after the last scrape but one may not be counted yet.
		process.lost = difference(t.snapshot(), process.before)
		all = append(all, process)
	}
	strangers := c.excused(history.ExcuseRequests, "", 0, c.last) > 0
	usurped := slices.ContainsFunc(c.windows, func(w window) bool {
		return slices.Contains(w.Excuses, history.ExcuseRefusals)
	})
	for _, name := range slices.Sorted(maps.Keys(t.now)) {
		now := t.now[name]
		if c.endpointOf(name).removedAfter(0) {
			continue // the counters go with the endpoint
		}
		var said, lost history.Counts
		for _, process := range all {
			said, lost = sum(said, process.said[name]), sum(lost, process.lost[name])
		}
		lost.Delivered += now.doubtful
		if c.excused(history.ExcuseCounters, name, 0, c.last) > 0 {
			lost = now.told
		}
		least, most := subtract(now.told, lost), now.told
		unseen := now.unknown + now.underWay
		c.compare(name, "accepted", said.Accepted, least.Accepted, most.Accepted+unseen)
		c.compare(name, "duplicate", said.Duplicate, least.Duplicate, most.Duplicate+unseen)
		c.compare(name, "ignored", said.Ignored, least.Ignored, most.Ignored+unseen)
		if strangers {
			most.Rejected = math.MaxInt64 - unseen
		}
		if usurped {
			least.Rejected = 0
		}
		c.compare(name, "rejected", said.Rejected, least.Rejected, most.Rejected+unseen)
		if c.endpointOf(name).shrank() {
			continue // the counters of deliveries go with the target
		}
		c.compare(name, "delivered", said.Delivered, least.Delivered, most.Delivered)
		if len(t.ended) == 0 && len(c.replays) == 0 {
			// A process that is killed after counting a death counts it again; a
			// replay takes one away.
			c.compare(name, "dead", said.Dead, most.Dead, most.Dead)
		}
	}
}

func (c *checker) compare(endpoint, counter string, said, least, most int64) {
	c.judged(Metrics)
	if said < least || said > most {
		c.violate(Metrics, Violation{Target: endpoint}, "%s is %d in the metrics, and by the history it is %d to %d",
			counter, said, least, most)
	}
}
