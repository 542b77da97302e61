package check_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/history"
)

func TestSchedule(t *testing.T) {
	t.Parallel()
	failing := func(tell func(h *synthetic)) func(h *synthetic) {
		return func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			tell(h)
			h.attempt(90_000, "2", 9, 200)
		}
	}
	busy := func(h *synthetic, seconds int) { h.attempt(110, "2", 1, 429).RetryAfter = seconds }
	judge(t, check.Schedule, []story{
		{"before Retry-After is over", "before the time", failing(func(h *synthetic) {
			busy(h, 3)
			h.attempt(3000, "2", 2, 503)
		})},
		{"when Retry-After is over", "", failing(func(h *synthetic) {
			busy(h, 3)
			h.attempt(3120, "2", 2, 503)
		})},
		{"Retry-After over the longest back-off", "", failing(func(h *synthetic) {
			busy(h, 30)
			h.attempt(4200, "2", 2, 503)
		})},
		{"a receiver that died before it noted Retry-After", "", failing(func(h *synthetic) {
			busy(h, 3)
			h.fault(120, 1, history.Point, history.ExcuseDuplicates)
			h.attempt(500, "2", 1, 503)
		})},
		{"the same number twice, of two endpoints of one name", "", func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			h.attempt(110, "2", 1, 500)
			h.endpoint(120, history.Endpoint{Removed: true})
			h.endpoint(130, history.Endpoint{})
			h.send(140, "2").Type = "star"
			h.answer(141, "2", "accepted")
			h.attempt(150, "2", 1, 500)
			h.attempt(1200, "2", 1, 200)
		}},
		{"the same number twice", "under a number", failing(func(h *synthetic) {
			h.attempt(110, "2", 1, 500)
			h.attempt(1110, "2", 1, 500)
		})},
		{"a replay counts anew", "", func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			h.attempt(110, "2", 1, 410)
			h.add(500, history.Record{Admin: &history.Admin{Action: history.ActionReplay, ID: "2"}})
			h.attempt(510, "2", 1, 200).Replay = true
		}},
		{"no number", "no attempt number", func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			h.attempt(110, "2", 0, 200)
		}},
		{"an attempt too many", "attempt 3 of at most 2", func(h *synthetic) {
			h.endpoint(90, history.Endpoint{Retry: history.Retry{MaxBackoffSeconds: 1, MaxAgeSeconds: 9, MaxAttempts: 2}})
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			h.attempt(110, "2", 3, 200)
		}},
		{"no back-off", "mean of 200 waits after attempt 1", func(h *synthetic) { h.waits(200, 100) }},
		{"half of the back-off", "", func(h *synthetic) { h.waits(200, 500) }},
		{"too few waits to judge", "", func(h *synthetic) { h.waits(50, 100) }},
	})
}

// waits adds events that fail once and are tried again after some milliseconds.
func (h *synthetic) waits(count int, wait int64) {
	for i := range int64(count) {
		id := fmt.Sprintf("wait-%d", i)
		h.send(100+i, id).Type = "star"
		h.answer(101+i, id, "accepted")
		h.attempt(110+i, id, 1, 500)
		h.attempt(111+i+wait, id, 2, 200)
	}
}

func TestLiveness(t *testing.T) {
	t.Parallel()
	judge(t, check.Liveness, []story{
		{"a backlog that ends", "", func(h *synthetic) {
			h.sample(100, history.ValuePending, 5)
			h.fault(200, 1, history.Begin)
			h.fault(500, 1, history.End)
			h.event(600, "2")
			h.sample(2000, history.ValuePending, 0)
		}},
		{"a backlog that does not end", "pending at the end", func(h *synthetic) {
			h.sample(100, history.ValuePending, 5)
			h.sample(9000, history.ValuePending, 1)
		}},
		{"a backlog that ends too late", "backlog lasted", func(h *synthetic) {
			h.sample(100, history.ValuePending, 5)
			h.sample(9000, history.ValuePending, 0)
		}},
		{"deliveries after the metrics say that none are pending", "backlog lasted", func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			h.sample(200, history.ValuePending, 0)
			h.attempt(9000, "2", 1, 200)
		}},
		{"a fault that never ends", "has no end", func(h *synthetic) { h.fault(200, 1, history.Begin) }},
		{"ready again", "", func(h *synthetic) {
			h.sample(200, history.ValueReady, 0)
			h.sample(300, history.ValueReady, 1)
		}},
		{"a refusal that must not be", "refused as namespace_full", func(h *synthetic) {
			h.records[0].Run.Never = []string{"namespace_full"}
			h.send(100, "2")
			h.add(101, history.Record{Response: &history.Response{ID: "2", Attempt: 1, Code: 503, Status: "namespace_full"}})
		}},
		{"not ready at the end", "not ready", func(h *synthetic) { h.sample(200, history.ValueReady, 0) }},
	})
}

func TestRecovery(t *testing.T) {
	t.Parallel()
	// The fault ends at 1000 with one event in the backlog; two seconds are the bound.
	held := func(happens func(h *synthetic)) func(h *synthetic) {
		return func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			happens(h)
		}
	}
	late := "with 1 in the backlog, the first delivery after kill came"
	judge(t, check.Liveness, []story{
		{"in time", "", held(func(h *synthetic) {
			h.fault(1000, 1, history.Point)
			h.attempt(2900, "2", 1, 200)
		})},
		{"late", late, held(func(h *synthetic) {
			h.fault(1000, 1, history.Point)
			h.attempt(3100, "2", 1, 200)
		})},
		{"late, and what came meanwhile was delivered", late, held(func(h *synthetic) {
			h.fault(1000, 1, history.Point)
			h.only(1100, "3")
			h.attempt(3100, "2", 1, 200)
		})},
		{"late, and one that came just before the end was delivered", late, held(func(h *synthetic) {
			h.send(900, "3").Type = "star"
			h.answer(901, "3", "accepted")
			h.fault(1000, 1, history.Point)
			h.attempt(1100, "3", 1, 200)
			h.attempt(3100, "2", 1, 200)
		})},
		{"late, and another of the backlog was in time", "", held(func(h *synthetic) {
			h.send(110, "3").Type = "star"
			h.answer(111, "3", "accepted")
			h.fault(1000, 1, history.Point)
			h.attempt(1100, "3", 1, 200)
			h.attempt(3100, "2", 1, 200)
		})},
		{"in its back-off", "", held(func(h *synthetic) {
			h.attempt(900, "2", 1, 500)
			h.fault(1000, 1, history.Point)
			h.attempt(6800, "2", 2, 200)
		})},
		{"long after its back-off", late, held(func(h *synthetic) {
			h.attempt(900, "2", 1, 500)
			h.fault(1000, 1, history.Point)
			h.attempt(7100, "2", 2, 200)
		})},
		{"in hand during a fault that allows more", "", held(func(h *synthetic) {
			h.fault(1000, 1, history.Point).AllowSeconds = 30
			h.attempt(20_000, "2", 1, 200)
		})},
		{"in hand during a fault before, which allows more", "", held(func(h *synthetic) {
			h.fault(500, 1, history.Point).AllowSeconds = 30
			h.fault(1000, 2, history.Point)
			h.attempt(20_000, "2", 1, 200)
		})},
		{"for longer than is allowed", late, held(func(h *synthetic) {
			h.fault(1000, 1, history.Point).AllowSeconds = 10
			h.attempt(13_100, "2", 1, 200)
		})},
		{"acknowledged after the fault that allows more", late, func(h *synthetic) {
			h.fault(90, 1, history.Point).AllowSeconds = 30
			held(func(h *synthetic) {
				h.fault(1000, 2, history.Point)
				h.attempt(3100, "2", 1, 200)
			})(h)
		}},
		{"held up by a next fault", "", func(h *synthetic) {
			held(func(h *synthetic) {
				h.fault(1000, 1, history.Point)
				h.fault(2500, 2, history.Begin)
				h.fault(5000, 2, history.End)
				h.attempt(6000, "2", 1, 200)
			})(h)
		}},
		{"beside a fault of another target", late, held(func(h *synthetic) {
			h.fault(1000, 1, history.Point)
			h.fault(1500, 2, history.Point).Targets = []string{second}
			h.attempt(3100, "2", 1, 200)
		})},
		{"of another target than the one that failed", "", held(func(h *synthetic) {
			h.fault(1000, 1, history.Point).Targets = []string{second}
			h.attempt(3100, "2", 1, 200)
		})},
	})
}

// A run in which nothing happened shows nothing, whatever it claims.
func TestAVerdictOverNothingIsAViolation(t *testing.T) {
	t.Parallel()
	const nothing = "judged over nothing"
	all := []string{"I1", "I2", "I3", "I4", "I5", "I6", "I7", "I9"}
	for _, claimed := range all {
		t.Run(claimed, func(t *testing.T) {
			t.Parallel()
			h := &synthetic{}
			h.add(1, history.Record{Run: &history.Run{
				Scenario: "idle", Unjudged: slices.DeleteFunc(slices.Clone(all), func(other string) bool { return other == claimed }),
			}})
			h.endpoint(2, history.Endpoint{})
			h.send(10, "1")
			h.refuse(20, "1", 503)
			if result := h.judge(t, check.Invariant(claimed), nothing); result.OK() {
				t.Error("the result is OK")
			}
		})
	}
	h := healthy()
	h.records[0].Run.Unjudged = []string{"I7", "I9"}
	h.fault(1000, 1, history.Point)
	h.sample(2000, history.ValuePending, 0)
	h.judge(t, check.Liveness, "recovery was judged over nothing")
}

func TestBounds(t *testing.T) {
	t.Parallel()
	judge(t, check.Bounds, []story{
		{"within", "", func(h *synthetic) { h.sample(100, history.ValueRSS, 1000) }},
		{"over", "rss_bytes is 1001, over its limit of 1000", func(h *synthetic) { h.sample(100, history.ValueRSS, 1001) }},
		{"without a limit", "", func(h *synthetic) { h.sample(100, history.ValueFDs, 1e9) }},
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	truth := history.Counts{Accepted: 1, Rejected: 1, Delivered: 2}
	twice := func(counts history.Counts) func(h *synthetic) {
		return func(h *synthetic) {
			h.scrape(1000, 1, counts)
			h.scrape(2000, 1, counts)
		}
	}
	wrong := func(change func(c *history.Counts)) func(h *synthetic) {
		counts := truth
		change(&counts)
		return twice(counts)
	}
	judge(t, check.Metrics, []story{
		{"the truth", "", twice(truth)},
		{"too many accepted", "accepted is 2", wrong(func(c *history.Counts) { c.Accepted++ })},
		{"too few accepted", "accepted is 0", wrong(func(c *history.Counts) { c.Accepted-- })},
		{"too many delivered", "delivered is 3", wrong(func(c *history.Counts) { c.Delivered++ })},
		{"too few delivered", "delivered is 1", wrong(func(c *history.Counts) { c.Delivered-- })},
		{"too few rejected", "rejected is 0", wrong(func(c *history.Counts) { c.Rejected-- })},
		{"duplicates of nothing", "duplicate is 1", wrong(func(c *history.Counts) { c.Duplicate++ })},
		{"dead letters of nothing", "dead is 1", wrong(func(c *history.Counts) { c.Dead++ })},
		{"a request without an answer counts or not", "", func(h *synthetic) {
			h.send(100, "2")
			h.add(200, history.Record{Response: &history.Response{ID: "2", Attempt: 1, Error: "reset"}})
			h.receive(210, "2", first)
			h.receive(210, "2", second)
			twice(history.Counts{Accepted: 2, Rejected: 1, Delivered: 4})(h)
		}},
		{"a connection refused is not counted", "accepted is 2", func(h *synthetic) {
			h.send(100, "2")
			h.add(200, history.Record{Response: &history.Response{ID: "2", Attempt: 1, Error: history.ErrorRefused}})
			twice(history.Counts{Accepted: 2, Rejected: 1, Delivered: 2})(h)
		}},
		{"strangers are rejected too", "", func(h *synthetic) {
			h.fault(100, 1, history.Point, history.ExcuseRequests)
			wrong(func(c *history.Counts) { c.Rejected += 9 })(h)
		}},
		{"strangers are not accepted", "accepted is 2", func(h *synthetic) {
			h.fault(100, 1, history.Point, history.ExcuseRequests)
			wrong(func(c *history.Counts) { c.Accepted++ })(h)
		}},
		{"another endpoint refuses in its name", "", func(h *synthetic) {
			h.fault(100, 1, history.Point, history.ExcuseRefusals)
			wrong(func(c *history.Counts) { c.Rejected = 0 })(h)
		}},
		{"counters begin again with the route", "", func(h *synthetic) {
			h.fault(100, 1, history.Point, history.ExcuseCounters)
			wrong(func(c *history.Counts) { c.Accepted, c.Delivered = 0, 0 })(h)
		}},
		{"counters that begin again invent nothing", "accepted is 2", func(h *synthetic) {
			h.fault(100, 1, history.Point, history.ExcuseCounters)
			wrong(func(c *history.Counts) { c.Accepted++ })(h)
		}},
		{"a receiver without routes counts for nobody", "", func(h *synthetic) {
			h.send(100, "2")
			h.add(200, history.Record{Response: &history.Response{ID: "2", Attempt: 1, Code: 503, Status: "not_ready"}})
			twice(truth)(h)
		}},
		{"counters of processes add up", "", func(h *synthetic) {
			h.scrape(1000, 1, truth)
			h.scrape(2000, 1, truth)
			h.process(3000, 2, true)
			h.event(4000, "2")
			h.scrape(5000, 2, history.Counts{Accepted: 1, Delivered: 2})
			h.scrape(6000, 2, history.Counts{Accepted: 1, Delivered: 2})
		}},
		{"a process that ends takes with it what it had not told", "", func(h *synthetic) {
			h.scrape(1000, 1, truth)
			h.scrape(2000, 1, truth)
			h.event(2500, "2")
			h.process(3000, 1, false)
			h.process(3001, 2, true)
			h.scrape(5000, 2, history.Counts{})
			h.scrape(6000, 2, history.Counts{})
		}},
	})
}

func TestFigures(t *testing.T) {
	t.Parallel()
	h := healthy()
	h.send(100, "2")
	h.answer(101, "2", "accepted")
	h.fault(100, 1, history.Begin, history.ExcuseDuplicates)
	h.fault(700, 1, history.End)
	h.receive(802, "2", first)
	h.receive(802, "2", second)
	h.attempt(810, "2", 2, 500)
	h.send(400, "3")
	h.refuse(410, "3", 503)
	h.sample(500, history.ValueRSS, 7)
	figures := h.judge(t, "", "").Figures
	if figures.Events != 3 || figures.Acknowledged != 2 || figures.Unknown != 1 || figures.Forged != 1 {
		t.Errorf("events: %+v", figures)
	}
	if figures.Received != 5 || figures.Delivered != 4 || figures.Failed != 1 || figures.Repeated != 0 {
		t.Errorf("deliveries: %+v", figures)
	}
	if kill := figures.Faults["kill"]; figures.Injected != 1 || kill.Count != 1 || kill.Recovery.Max != 102*time.Millisecond {
		t.Errorf("faults: %+v", figures.Faults)
	}
	if figures.Acks.Max != 10*time.Millisecond || figures.Peaks["receiver"][history.ValueRSS] != 7 {
		t.Errorf("times and peaks: %+v", figures)
	}
}
