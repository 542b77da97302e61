package queuetest

import (
	"errors"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

var jobTests = []namedTest{
	{"job/is taken by one", testJobIsTakenByOne},
	{"job/goes on where it stopped", testJobGoesOn},
	{"job/is not saved by who lost it", testJobIsNotSavedByLoser},
	{"job/is apart from others", testJobsAreApart},
}

func holdOf(owner string) queue.Hold {
	return queue.Hold{Owner: owner, For: 10 * time.Second, Keep: time.Hour}
}

func (h *harness) take(t *testing.T, id, owner string) (state string, taken bool) {
	t.Helper()
	saved, taken, err := h.store.TakeJob(t.Context(), queue.Job{EndpointUID: h.uid, ID: id}, holdOf(owner))
	if err != nil {
		t.Fatalf("TakeJob(%s) by %s: %v", id, owner, err)
	}
	return string(saved), taken
}

func (h *harness) save(t *testing.T, id, owner, state string) error {
	t.Helper()
	return h.store.SaveJob(t.Context(), queue.Job{EndpointUID: h.uid, ID: id}, holdOf(owner), []byte(state))
}

func testJobIsTakenByOne(t *testing.T, h *harness) {
	if state, taken := h.take(t, "j", "one"); !taken || state != "" {
		t.Errorf("a new job: taken %v with state %q", taken, state)
	}
	if _, taken := h.take(t, "j", "two"); taken {
		t.Error("two owners have the job")
	}
	if _, taken := h.take(t, "j", "one"); !taken {
		t.Error("its owner may not take it again")
	}
}

func testJobGoesOn(t *testing.T, h *harness) {
	h.take(t, "j", "one")
	if err := h.save(t, "j", "one", "half\x00way"); err != nil {
		t.Fatal(err)
	}
	if state, taken := h.take(t, "j", "two"); taken || state != "half\x00way" {
		t.Errorf("while it is held: taken %v with state %q, want the state only", taken, state)
	}
	h.clock.Advance(11 * time.Second)
	if state, taken := h.take(t, "j", "two"); !taken || state != "half\x00way" {
		t.Errorf("after the hold: taken %v with state %q", taken, state)
	}
}

func testJobIsNotSavedByLoser(t *testing.T, h *harness) {
	if err := h.save(t, "j", "one", "x"); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("saving a job that was never taken: %v, want ErrLeaseLost", err)
	}
	h.take(t, "j", "one")
	h.clock.Advance(11 * time.Second)
	if err := h.save(t, "j", "one", "late"); err != nil {
		t.Errorf("late, but nobody else came: %v", err)
	}
	h.clock.Advance(11 * time.Second)
	h.take(t, "j", "two")
	if err := h.save(t, "j", "one", "stale"); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("saving after another took it: %v, want ErrLeaseLost", err)
	}
	if state, _ := h.take(t, "j", "two"); state != "late" {
		t.Errorf("state is %q, want the last that its owner saved", state)
	}
}

func testJobsAreApart(t *testing.T, h *harness) {
	h.take(t, "a", "one")
	if err := h.save(t, "a", "one", "a's"); err != nil {
		t.Fatal(err)
	}
	if state, taken := h.take(t, "b", "two"); !taken || state != "" {
		t.Errorf("another job: taken %v with state %q", taken, state)
	}
}
