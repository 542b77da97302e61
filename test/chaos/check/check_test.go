package check_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/history"
)

func TestNothingIsWrongWithAHealthyRun(t *testing.T) {
	t.Parallel()
	result := healthy().judge(t, "", "")
	if !result.OK() {
		t.Error("the result is not OK")
	}
	for _, invariant := range []check.Invariant{check.Durability, check.Authenticity, check.Duplicates, check.Phantoms} {
		if result.Verdict(invariant).Checked == 0 {
			t.Errorf("%s was judged over nothing", invariant)
		}
	}
}

func TestAHistoryWithoutARunIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := check.Check((&synthetic{}).all()); err == nil {
		t.Error("no error")
	}
}

func TestDurability(t *testing.T) {
	t.Parallel()
	judge(t, check.Durability, []story{
		{"delivered nowhere", "never asked", func(h *synthetic) {
			h.send(100, "2")
			h.answer(101, "2", "accepted")
		}},
		{"the sender was told duplicate and it arrived nowhere", "never asked", func(h *synthetic) {
			h.send(100, "2")
			h.refuse(101, "2", 503)
			h.send(200, "2").Attempt = 2
			h.answer(201, "2", "duplicate").Attempt = 2
		}},
		{"one of two targets lacks it", "never asked", func(h *synthetic) {
			h.send(100, "2")
			h.answer(101, "2", "accepted")
			h.receive(110, "2", first)
		}},
		{"given up without a dead letter", "neither delivered nor a dead letter", func(h *synthetic) {
			h.event(100, "2")
			h.send(200, "3").Type = "star"
			h.answer(201, "3", "accepted")
			h.attempt(210, "3", 1, 500)
		}},
		{"not acknowledged, so that nothing is owed", "", func(h *synthetic) {
			h.send(100, "2")
			h.refuse(101, "2", 503)
		}},
		{"only for the target that wants the type", "", func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			h.receive(110, "2", first)
		}},
		{"a status that promises nothing", "promises nothing known", func(h *synthetic) {
			h.event(100, "2")
			h.answer(130, "2", "maybe")
		}},
		{"ignored although wanted", "answered ignored", func(h *synthetic) {
			h.send(100, "2")
			h.answer(101, "2", "ignored")
		}},
		{"ignored because nobody wants it", "", func(h *synthetic) {
			h.endpoint(90, history.Endpoint{Targets: []history.Target{{Name: "second", Types: []string{"pull.*"}}}})
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "ignored")
		}},
		{"stored for either version while the route changes", "", func(h *synthetic) {
			h.endpoint(110, history.Endpoint{
				AppliedAt: 95 * int64(time.Millisecond), Targets: []history.Target{{Name: "first"}},
			})
			h.send(100, "2")
			h.answer(101, "2", "accepted")
			h.receive(110, "2", first)
		}},
		{"stored for the old version", "never asked", func(h *synthetic) {
			h.endpoint(110, history.Endpoint{Targets: []history.Target{{Name: "first"}}})
			h.send(100, "2")
			h.answer(101, "2", "accepted")
			h.receive(110, "2", first)
		}},
		{"the endpoint is removed", "", func(h *synthetic) {
			h.send(100, "2")
			h.answer(101, "2", "accepted")
			h.endpoint(110, history.Endpoint{Removed: true})
		}},
	})
}

func TestDeathsNeedAReason(t *testing.T) {
	t.Parallel()
	buried := func(reason string, happens func(h *synthetic)) func(h *synthetic) {
		return func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			happens(h)
			h.dead(200_000, "2", first, reason)
		}
	}
	judge(t, check.Durability, []story{
		{"410", "", buried("gone", func(h *synthetic) { h.attempt(110, "2", 1, 410) })},
		{"gone without a 410", "gone", buried("gone", func(h *synthetic) { h.attempt(110, "2", 1, 500) })},
		{"too old", "", buried("expired", func(*synthetic) {})},
		{"unlimited attempts exhausted", "attempts_exhausted", buried("attempts_exhausted", func(*synthetic) {})},
		{"attempts exhausted", "", buried("attempts_exhausted", func(h *synthetic) {
			h.endpoint(90, history.Endpoint{Retry: history.Retry{MaxBackoffSeconds: 1, MaxAgeSeconds: 9, MaxAttempts: 1}})
			h.attempt(110, "2", 1, 500)
		})},
		{"the target is removed", "", buried("target_removed", func(h *synthetic) {
			h.endpoint(150, history.Endpoint{Targets: []history.Target{{Name: "second"}}})
		})},
		{"the target is still there", "target_removed", buried("target_removed", func(*synthetic) {})},
		{"damaged by a fault", "", buried("corrupt", func(h *synthetic) {
			h.fault(120, 1, history.Point, history.ExcuseCorruption)
		})},
		{"damaged by nobody", "corrupt", buried("corrupt", func(*synthetic) {})},
		{"of a version that a fault brought", "", buried("unknown_version", func(h *synthetic) {
			h.fault(90, 1, history.Begin, history.ExcuseVersions)
			h.fault(150, 1, history.End)
		})},
		{"of a version that no fault brought", "unknown_version", buried("unknown_version", func(*synthetic) {})},
	})
	hasty := healthy()
	hasty.fault(90, 1, history.Begin, history.ExcuseVersions)
	hasty.send(100, "2").Type = "star"
	hasty.answer(101, "2", "accepted")
	hasty.dead(200, "2", first, "unknown_version")
	hasty.fault(300, 1, history.End)
	hasty.judge(t, check.Durability, "unknown_version")
	young := healthy()
	young.send(100, "2").Type = "star"
	young.answer(101, "2", "accepted")
	young.dead(200, "2", first, "expired")
	young.judge(t, check.Durability, "expired")
}

func TestDiscardedDeadLetters(t *testing.T) {
	t.Parallel()
	discarded := func(reason string, happens func(h *synthetic)) func(h *synthetic) {
		return func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			h.attempt(110, "2", 1, 410)
			h.add(200, history.Record{Admin: &history.Admin{
				Action: history.ActionDiscard, Target: first, ID: "2", Detail: reason,
			}})
			happens(h)
		}
	}
	judge(t, check.Durability, []story{
		{"discarded", "", discarded("gone", func(*synthetic) {})},
		{"discarded after a death without a cause", "expired", discarded("expired", func(*synthetic) {})},
		{"still there", "a dead letter even so", discarded("gone", func(h *synthetic) { h.dead(300, "2", first, "gone") })},
	})
	judge(t, check.Phantoms, []story{
		{"delivered", "after it was discarded", discarded("gone", func(h *synthetic) { h.attempt(300, "2", 2, 200) })},
	})
}

func TestAuthenticity(t *testing.T) {
	t.Parallel()
	judge(t, check.Authenticity, []story{
		{"a forged request is acknowledged", "does not verify", func(h *synthetic) {
			h.forge(100, "f")
			h.answer(101, "f", "accepted")
		}},
		{"a forged request is delivered", "none of its requests verifies", func(h *synthetic) {
			h.forge(100, "f")
			h.receive(110, "f", first)
		}},
		{"another body arrives", "delivered with body", func(h *synthetic) {
			h.only(100, "2").Body = "other"
		}},
		{"a retry with another body", "", func(h *synthetic) {
			again := h.send(99, "2")
			again.Body = "other"
			h.refuse(99, "2", 503)
			h.event(100, "2")
		}},
		{"delivered as not verified", "not verified", func(h *synthetic) {
			h.only(100, "2").Verified = false
		}},
		{"a tampered copy of a true one is refused", "", func(h *synthetic) {
			h.event(100, "2")
			tampered := h.send(200, "2")
			tampered.Forged, tampered.Attempt, tampered.Body = "body", 2, "tampered"
			h.add(201, history.Record{Response: &history.Response{ID: "2", Attempt: 2, Code: 401}})
		}},
		{"a tampered copy of a true one is told duplicate", "does not verify", func(h *synthetic) {
			h.event(100, "2")
			tampered := h.send(200, "2")
			tampered.Forged, tampered.Attempt = "body", 2
			h.answer(201, "2", "duplicate").Attempt = 2
		}},
	})
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	again := func(h *synthetic) {
		h.event(100, "2")
		h.attempt(300, "2", 2, 200)
	}
	judge(t, check.Duplicates, []story{
		{"delivered twice", "delivered again", again},
		{"a duplicate of nothing", "swallowed", func(h *synthetic) {
			h.send(100, "2")
			h.answer(110, "2", "duplicate")
			h.receive(120, "2", first)
			h.receive(120, "2", second)
		}},
		{"a duplicate of a request without an answer", "", func(h *synthetic) {
			h.send(100, "2")
			h.refuse(105, "2", 503)
			h.send(110, "2")
			h.answer(120, "2", "duplicate")
			h.receive(130, "2", first)
			h.receive(130, "2", second)
		}},
		{"a fault in between", "", func(h *synthetic) {
			again(h)
			h.fault(200, 1, history.Point, history.ExcuseDuplicates)
		}},
		{"a fault before", "delivered again", func(h *synthetic) {
			again(h)
			h.fault(90, 1, history.Point, history.ExcuseDuplicates)
		}},
		{"a fault that excuses nothing", "delivered again", func(h *synthetic) {
			again(h)
			h.fault(200, 1, history.Point)
		}},
		{"a fault at another target", "delivered again", func(h *synthetic) {
			again(h)
			h.fault(200, 1, history.Point, history.ExcuseDuplicates).Targets = []string{second}
		}},
		{"during a long fault", "", func(h *synthetic) {
			again(h)
			h.fault(50, 1, history.Begin, history.ExcuseDuplicates)
			h.fault(400, 1, history.End)
		}},
		{"two too many for one fault", "delivered again", func(h *synthetic) {
			again(h)
			h.attempt(310, "2", 3, 200)
			h.fault(50, 1, history.Begin, history.ExcuseDuplicates)
			h.fault(400, 1, history.End)
		}},
		{"interrupted by a begin", "", func(h *synthetic) {
			again(h)
			h.fault(150, 1, history.Begin, history.ExcuseDuplicates).AtBegin = true
			h.fault(200, 1, history.End)
		}},
		{"twice after a begin", "delivered again", func(h *synthetic) {
			again(h)
			h.attempt(1500, "2", 3, 200)
			h.fault(150, 1, history.Begin, history.ExcuseDuplicates).AtBegin = true
			h.fault(5000, 1, history.End)
		}},
		{"as many as an end excuses", "", func(h *synthetic) {
			h.paused(2)
		}},
		{"one more than an end excuses", "delivered again", func(h *synthetic) {
			h.paused(3)
		}},
		{"a replay", "", func(h *synthetic) {
			again(h)
			h.add(200, history.Record{Admin: &history.Admin{Action: history.ActionReplay, ID: "2"}})
		}},
		{"accepted twice", "accepted 2 times", func(h *synthetic) {
			h.event(100, "2")
			h.send(200, "2").Attempt = 2
			h.answer(201, "2", "accepted").Attempt = 2
		}},
		{"accepted and delivered twice, and its mark gave way", "", func(h *synthetic) {
			h.twice()
			h.marks(100, 0, 1, 2)
			h.marks(8000, 3, 3, 6)
		}},
		{"accepted twice, and marks gave way long before", "accepted 2 times", func(h *synthetic) {
			h.marks(50, 3, 1, 2)
			h.event(60_100, "2")
			h.send(60_200, "2").Attempt = 2
			h.answer(60_201, "2", "accepted").Attempt = 2
			h.marks(60_000, 3, 1, 2)
			h.marks(60_300, 3, 3, 4)
		}},
		{"delivered twice of one request, and its mark gave way", "delivered again", func(h *synthetic) {
			again(h)
			h.marks(8000, 3, 2, 5)
		}},
		{"sent again to an endpoint that was made anew", "", func(h *synthetic) {
			h.event(100, "2")
			h.endpoint(150, history.Endpoint{Removed: true})
			h.endpoint(160, history.Endpoint{})
			h.send(200, "2").Attempt = 2
			h.answer(201, "2", "accepted").Attempt = 2
			h.receive(202, "2", first)
			h.receive(202, "2", second)
		}},
		{"an endpoint made anew delivers twice for one request", "delivered again", func(h *synthetic) {
			h.endpoint(50, history.Endpoint{})
			again(h)
			h.endpoint(400, history.Endpoint{Removed: true})
		}},
		{"sent again after the window", "", func(h *synthetic) {
			h.event(100, "2")
			h.send(4_000_000, "2").Attempt = 2
			h.answer(4_000_001, "2", "accepted").Attempt = 2
			h.receive(4_000_002, "2", first)
			h.receive(4_000_002, "2", second)
		}},
	})
}

// twice adds an event that is sent again, and taken for a new one.
func (h *synthetic) twice() {
	h.event(100, "2")
	h.send(200, "2").Attempt = 2
	h.answer(201, "2", "accepted").Attempt = 2
	h.receive(202, "2", first)
	h.receive(202, "2", second)
}

// marks adds a scrape that tells how many have given way, beside the truth.
func (h *synthetic) marks(at, dropped, accepted, delivered int64) {
	h.scrape(at, 1, history.Counts{Accepted: accepted, Rejected: 1, Delivered: delivered}).MarksDropped = dropped
}

// paused adds a pause during which events are delivered, and again after it.
// Its end excuses two of them.
func (h *synthetic) paused(events int64) {
	begin := h.fault(100, 1, history.Begin, history.ExcuseDuplicates)
	begin.AtBegin, begin.AtEnd = true, 2
	h.fault(9000, 1, history.End)
	for n := range events {
		id := fmt.Sprintf("paused-%d", n)
		h.only(2000+n, id)
		h.attempt(9100+n, id, 2, 200)
	}
}

func TestPhantoms(t *testing.T) {
	t.Parallel()
	judge(t, check.Phantoms, []story{
		{"nobody sent it", "nobody sent it", func(h *synthetic) { h.receive(100, "ghost", first) }},
		{"nobody asked", "was not sent", func(h *synthetic) { h.refuse(100, "ghost", 503) }},
		{"a dead letter of nothing", "never sent", func(h *synthetic) { h.dead(100, "ghost", first, "gone") }},
		{"at a target of another endpoint", "sent to team/github", func(h *synthetic) {
			h.event(100, "2")
			h.receive(110, "2", "other/endpoint/first")
		}},
		{"for another endpoint", "delivered for other/endpoint", func(h *synthetic) {
			h.only(100, "2").Endpoint = "other/endpoint"
		}},
		{"at a target that does not want the type", `events of type "star" are for other targets`, func(h *synthetic) {
			h.send(100, "2").Type = "star"
			h.answer(101, "2", "accepted")
			h.receive(110, "2", first)
			h.receive(110, "2", second)
		}},
		{"by a version that is written down after it is in force", "", func(h *synthetic) {
			h.only(100, "2")
			h.receive(110, "2", endpointName+"/third")
			h.endpoint(120, history.Endpoint{
				AppliedAt: 95 * int64(time.Millisecond), Targets: []history.Target{{Name: "first"}, {Name: "third"}},
			})
		}},
		{"by a version that comes later", "for other targets", func(h *synthetic) {
			h.only(100, "2")
			h.receive(110, "2", endpointName+"/third")
			h.endpoint(120, history.Endpoint{Targets: []history.Target{{Name: "first"}, {Name: "third"}}})
		}},
		{"by a glob", "", func(h *synthetic) {
			h.send(100, "2").Type = "pull.opened"
			h.answer(101, "2", "accepted")
			h.receive(110, "2", first)
			h.receive(110, "2", second)
		}},
	})
}
