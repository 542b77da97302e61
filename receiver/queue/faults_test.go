package queue_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/acl"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

const (
	uid      = "0b7c6a52-1f0e-4b5e-9a56-6e1d6b1f2a11"
	leaseFor = time.Hour // no test waits until it is over, or takes as long
)

var builder = queue.ID{EndpointUID: uid, Target: "builder"}

func admission(id string, bodyBytes int) *queue.Admission {
	e := queuetest.Event(uid, id, time.Now())
	if bodyBytes > 0 {
		e.Body = []byte(strings.Repeat("x", bodyBytes))
	}
	return &queue.Admission{
		Event: e, Targets: []string{"builder"}, RememberFor: time.Hour, HistoryLimit: 100, LeaseFor: leaseFor,
	}
}

func numbered(i int) string {
	return fmt.Sprintf("%032x", i)
}

func mustAdmit(t *testing.T, store *queue.Redis, admission *queue.Admission) queue.Receipt {
	t.Helper()
	receipt, err := store.Admit(t.Context(), admission)
	if err != nil {
		t.Fatalf("Admit: %v", err)
	}
	return receipt
}

func wantUnavailable(t *testing.T, store *queue.Redis) {
	t.Helper()
	receipt, err := store.Admit(t.Context(), admission(queue.NewID(), 0))
	if !errors.Is(err, queue.ErrUnavailable) {
		t.Errorf("Admit returned %+v and %v, want ErrUnavailable", receipt, err)
	}
}

// TestNothingAcknowledgedIsLostByKill runs with the sidecar's own rules: a server
// replays its log as the default user, and what that user may not do is gone.
func TestNothingAcknowledgedIsLostByKill(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs(acl.ServerArgs()...), redistest.WithUser(acl.Username))
	store := open(t, server, queue.Options{Username: acl.Username})
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		acked  []string
		enough = make(chan struct{})
	)
	for worker := range 20 {
		group.Go(func() {
			for i := 0; ; i++ {
				id := numbered(worker<<32 + i)
				if _, err := store.Admit(t.Context(), admission(id, 1024)); err != nil {
					return
				}
				mu.Lock()
				if acked = append(acked, id); len(acked) == 2000 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	server.Kill(t)
	group.Wait()
	server.Restart(t)

	for _, id := range acked {
		var record *queue.Record
		wait.For(t, "the store", func() (err error) {
			record, err = store.Get(t.Context(), uid, id)
			if errors.Is(err, queue.ErrNotFound) {
				t.Fatalf("event %s was acknowledged and is lost", id)
			}
			return err
		})
		if len(record.Event.Body) != 1024 || record.Status != queue.StatusPending {
			t.Fatalf("event %s came back as %+v", id, record.Summary)
		}
	}
	depths, err := store.Depths(t.Context(), []queue.ID{builder})
	if err != nil || depths[0].Pending < int64(len(acked)) {
		t.Errorf("%+v pending and %v, want at least the %d acknowledged", depths, err, len(acked))
	}
}

// TestNobodyIsTheDefaultUser: it has permissions for the sake of the log, and
// must not lend them to a client.
func TestNobodyIsTheDefaultUser(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs(acl.ServerArgs()...), redistest.WithUser(acl.Username))
	wantUnavailable(t, open(t, server, queue.Options{}))
	wantUnavailable(t, open(t, server, queue.Options{Username: "default"}))
}

func TestStoreComesBack(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	mustAdmit(t, store, admission(numbered(1), 0))

	server.Kill(t)
	wantUnavailable(t, store)
	if err := store.Health(t.Context()); !errors.Is(err, queue.ErrUnavailable) {
		t.Errorf("Health returned %v, want ErrUnavailable", err)
	}
	if _, err := store.Claim(t.Context(), builder, 1, leaseFor); !errors.Is(err, queue.ErrUnavailable) {
		t.Errorf("Claim returned %v, want ErrUnavailable", err)
	}

	server.Restart(t)
	wait.For(t, "the store", func() error {
		receipt, err := store.Admit(t.Context(), admission(numbered(1), 0))
		if err == nil && !receipt.Duplicate {
			t.Fatal("the event of before is forgotten")
		}
		return err
	})
	wait.For(t, "the store", func() error { return store.Health(t.Context()) })
}

func TestStoreMayStartLater(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill(t)
	store := open(t, server, queue.Options{PollInterval: 10 * time.Millisecond})
	wantUnavailable(t, store)
	server.Restart(t)
	wait.For(t, "the store", func() error {
		_, err := store.Admit(t.Context(), admission(numbered(1), 0))
		return err
	})
}

func TestStalledStoreIsGivenUpInTime(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{StepTimeout: 100 * time.Millisecond})
	wait.For(t, "the store", func() error {
		_, err := store.Admit(t.Context(), admission(numbered(1), 0))
		return err
	})
	server.Pause(t)
	defer server.Resume(t)
	start := time.Now()
	wantUnavailable(t, store)
	if took := time.Since(start); took > wait.Patience/2 {
		t.Errorf("giving up took %s", took)
	}
}

func TestScriptsAreLoadedAgain(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	receipt := mustAdmit(t, store, admission(numbered(1), 0))
	server.Do(t, "SCRIPT", "FLUSH")
	mustAdmit(t, store, admission(numbered(2), 0))
	server.Do(t, "SCRIPT", "FLUSH")
	if lost, err := store.Renew(t.Context(), receipt.Leases, leaseFor); err != nil || len(lost) != 0 {
		t.Errorf("Renew returned %v and %v", lost, err)
	}
	server.Do(t, "SCRIPT", "FLUSH")
	depths, err := store.Depths(t.Context(), []queue.ID{builder, builder})
	if err != nil || depths[0].Pending != 2 || depths[1].Pending != 2 {
		t.Errorf("Depths returned %+v and %v", depths, err)
	}
}

func TestReplicaIsRefused(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	mustAdmit(t, store, admission(numbered(1), 0))
	server.Do(t, "REPLICAOF", "127.0.0.1", "1")
	wantUnavailable(t, store)
}

func TestFullStoreRefusesAndDrains(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs("--maxmemory", "6mb"))
	// Past its maximum: the watermark must not come first here.
	store := open(t, server, queue.Options{Watermark: 100})
	var leases []queue.Lease
	for i := 0; ; i++ {
		receipt, err := store.Admit(t.Context(), admission(numbered(i), 10<<10))
		if errors.Is(err, queue.ErrFull) {
			break
		}
		if err != nil || i > 1000 {
			t.Fatalf("admission %d returned %v, want ErrFull some time", i, err)
		}
		leases = append(leases, receipt.Leases...)
	}
	if len(leases) < 10 {
		t.Fatalf("only %d events fit", len(leases))
	}
	refused := admission(numbered(len(leases)), 10<<10)
	attempt := &queue.Attempt{At: time.Now(), Status: 503, Excerpt: strings.Repeat("x", 1000)}
	for i, settlement := range []queue.Settlement{
		{Outcome: queue.Retry, After: time.Hour, Attempt: attempt},
		{Outcome: queue.Dead, Reason: "gone", Attempt: attempt},
		{Outcome: queue.Release},
	} {
		if err := store.Settle(t.Context(), leases[i], settlement); err != nil {
			t.Errorf("outcome %d at the limit: %v", settlement.Outcome, err)
		}
	}
	if got, err := store.Claim(t.Context(), builder, 1, leaseFor); err != nil || len(got) != 1 {
		t.Errorf("Claim at the limit returned %d events and %v", len(got), err)
	}
	for _, lease := range leases[3:] {
		if err := store.Settle(t.Context(), lease, queue.Settlement{Outcome: queue.Done}); err != nil {
			t.Fatalf("delivering at the limit: %v", err)
		}
	}
	server.Do(t, "CONFIG", "SET", "maxmemory", "20mb")
	if receipt := mustAdmit(t, store, refused); receipt.Duplicate {
		t.Error("the refused event left a mark")
	}
}

func TestWatermark(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs("--maxmemory", "1gb"))
	for name, options := range map[string]queue.Options{
		"memory": {Watermark: 0.0001},
		"volume": {Watermark: 0.0001, DataDir: t.TempDir()},
	} {
		store := open(t, server, options)
		if _, err := store.Admit(t.Context(), admission(numbered(1), 0)); !errors.Is(err, queue.ErrFull) {
			t.Errorf("%s: Admit returned %v, want ErrFull", name, err)
		}
		if used := store.UsedRatio(); used <= 0.0001 || used > 1 {
			t.Errorf("%s: UsedRatio is %v", name, used)
		}
	}
}

// TestHistoryGivesWay fills a store with delivered events only: they must not
// keep out new ones.
func TestHistoryGivesWay(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.WithArgs("--maxmemory", "8mb"))
	store := open(t, server, queue.Options{PollInterval: 5 * time.Millisecond})
	for i := range 600 {
		next := admission(numbered(i), 10<<10)
		next.HistoryLimit = 10000
		wait.For(t, "the store", func() error {
			receipt, err := store.Admit(t.Context(), next)
			if err != nil && !errors.Is(err, queue.ErrFull) {
				t.Fatalf("Admit: %v", err)
			}
			for _, lease := range receipt.Leases {
				if err := store.Settle(t.Context(), lease, queue.Settlement{Outcome: queue.Done}); err != nil {
					t.Fatalf("Settle: %v", err)
				}
			}
			return err
		})
	}
	if receipt := mustAdmit(t, store, admission(numbered(0), 0)); !receipt.Duplicate {
		t.Error("an event whose body gave way is no longer remembered")
	}
}

func TestDamagedEventIsBuried(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	for i, damage := range [][]string{
		{"SETRANGE", "", "500", "?"},
		{"SETRANGE", "", "1", "?"},
		{"APPEND", "", "more"},
		{"SET", "", "\x02short"},
		{"SET", "", ""},
	} {
		id := numbered(i)
		unleased := admission(id, 1024)
		unleased.LeaseFor = 0
		mustAdmit(t, store, unleased)
		damage[1] = "p:{" + uid + "}:e:" + id
		server.Do(t, damage...)
		if got, err := store.Claim(t.Context(), builder, 10, leaseFor); err != nil || len(got) != 0 {
			t.Errorf("after %v Claim returned %d events and %v, want none", damage, len(got), err)
		}
		depths, err := store.Depths(t.Context(), []queue.ID{builder})
		if err != nil || depths[0].Pending != 0 || depths[0].Dead != int64(i+1) {
			t.Errorf("after %v depths are %+v and %v, want it dead", damage, depths, err)
		}
	}
	if state := server.Do(t, "HGET", "p:{"+uid+"}:states", numbered(0)); !strings.Contains(state, queue.ReasonCorrupt) {
		t.Errorf("the state is %q, want reason %q", state, queue.ReasonCorrupt)
	}
}

// TestNewerSchemaIsLeftAlone is about a roll-back: an older process must not
// deliver what a newer one wrote, and knows only how old it is.
func TestNewerSchemaIsLeftAlone(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	for i, newer := range [][]string{
		{"SETRANGE", "p:{" + uid + "}:e:" + numbered(0), "0", "\x03"},
		{"HSET", "p:{" + uid + "}:states", numbered(1), "2 something else"},
	} {
		unleased := admission(numbered(i), 0)
		unleased.LeaseFor = 0
		mustAdmit(t, store, unleased)
		server.Do(t, newer...)
		got, err := store.Claim(t.Context(), builder, 10, leaseFor)
		if err != nil || len(got) != 1 || !got[0].Unreadable || got[0].Event.ID != unleased.Event.ID ||
			got[0].Event.ReceivedAt.UnixMilli() != unleased.Event.ReceivedAt.UnixMilli() {
			t.Fatalf("after %v Claim returned %+v and %v, want that it cannot be read", newer, got, err)
		}
		depths, err := store.Depths(t.Context(), []queue.ID{builder})
		if err != nil || depths[0].Pending != int64(i+1) || depths[0].NextDue.Before(time.Now()) {
			t.Errorf("after %v depths are %+v and %v, want it pending and due later", newer, depths, err)
		}
		defer func() {
			if err := store.Settle(t.Context(), got[0].Lease, queue.Settlement{
				Outcome: queue.Dead, Reason: queue.ReasonUnknownVersion,
			}); err != nil {
				t.Errorf("after %v the event cannot be buried: %v", newer, err)
			}
			page, err := store.List(t.Context(), uid, queue.Filter{Status: queue.StatusDead})
			if err != nil || !slices.ContainsFunc(page.Events, func(s queue.Summary) bool { return s.ID == unleased.Event.ID }) {
				t.Errorf("after %v the dead letters are %+v and %v", newer, page, err)
			}
		}()
	}
}

func TestFailedAdmissionLeavesNoMark(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	for _, broken := range []string{"q:builder", "pending", "states", "seen"} {
		key := "p:{" + uid + "}:" + broken
		server.Do(t, "DEL", key)
		server.Do(t, "SET", key, "of the wrong type")
		if _, err := store.Admit(t.Context(), admission(numbered(1), 0)); err == nil {
			t.Fatalf("Admit with a broken %s succeeded", broken)
		}
		server.Do(t, "DEL", key)
	}
	if receipt := mustAdmit(t, store, admission(numbered(1), 0)); receipt.Duplicate {
		t.Error("the failed admission left a mark: the event would be lost")
	}
}

// TestBrokenEndpointFailsByItself has admissions and settlements of two
// endpoints in the same calls.
func TestBrokenEndpointFailsByItself(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	server.Do(t, "SET", "p:{broken}:states", "of the wrong type")
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			receipt, err := store.Admit(t.Context(), admission(numbered(i), 0))
			for _, lease := range receipt.Leases {
				err = store.Settle(t.Context(), lease, queue.Settlement{Outcome: queue.Done})
			}
			if err != nil {
				t.Errorf("at the endpoint beside the broken one: %v", err)
			}
		})
		group.Go(func() {
			next := admission(numbered(i), 0)
			next.Event.EndpointUID = "broken"
			if _, err := store.Admit(t.Context(), next); err == nil {
				t.Error("Admit at the broken endpoint succeeded")
			}
			lease := queue.Lease{Queue: queue.ID{EndpointUID: "broken", Target: "builder"}, EventID: numbered(i), Fence: 1}
			if err := store.Settle(t.Context(), lease, queue.Settlement{Outcome: queue.Done}); err == nil {
				t.Error("Settle at the broken endpoint succeeded")
			}
		})
	}
	group.Wait()
}

func TestIDWithoutRecordIsSweptUp(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	for _, key := range []string{"q:builder", "pending"} {
		server.Do(t, "ZADD", "p:{"+uid+"}:"+key, "1", numbered(1))
	}
	if got, err := store.Claim(t.Context(), builder, 10, leaseFor); err != nil || len(got) != 0 {
		t.Errorf("Claim returned %d events and %v, want none", len(got), err)
	}
	if left := server.Do(t, "KEYS", "*"); left != "[]" {
		t.Errorf("left over: %s", left)
	}
}

// TestMarksAreAllThatIsLeft of events outside of the history, and are gone
// after their window even when no event comes any more.
func TestMarksAreAllThatIsLeft(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	clock := queuetest.NewClock()
	store := open(t, server, queue.Options{Clock: clock.Now, PollInterval: 5 * time.Millisecond})
	for i := range 300 {
		next := admission(numbered(i), 0)
		next.HistoryLimit = 0
		attempt := &queue.Attempt{At: time.Now(), Status: 200}
		lease := mustAdmit(t, store, next).Leases[0]
		if err := store.Settle(t.Context(), lease, queue.Settlement{Outcome: queue.Done, Attempt: attempt}); err != nil {
			t.Fatalf("Settle: %v", err)
		}
	}
	prefix := "p:{" + uid + "}:"
	if got := server.Do(t, "ZCARD", prefix+"seen"); got != "300" {
		t.Errorf("%s marks are left, want 300", got)
	}
	server.Do(t, "DEL", prefix+"targets", "p:endpoints")
	if got := server.Do(t, "KEYS", "*"); got != "["+prefix+"seen]" {
		t.Errorf("beside the marks there are %s", got)
	}
	server.Do(t, "SADD", "p:endpoints", uid)
	clock.Advance(2 * time.Hour)
	wait.For(t, "the store", func() error {
		if left := server.Do(t, "ZCARD", prefix+"seen"); left != "0" {
			return fmt.Errorf("%s marks are left after their window", left)
		}
		return nil
	})
}

func TestTornTailDropsAnEventAsAWhole(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	store := open(t, server, queue.Options{})
	for i := range 100 {
		mustAdmit(t, store, admission(numbered(i), 0))
	}
	server.Kill(t)
	tearTail(t, server.DataDir(), 50)
	server.Restart(t)
	// The tail of this file is acknowledged data, unlike after a real crash, so
	// that exactly one event is gone, as a whole.
	reopened := open(t, server, queue.Options{})
	depths, err := reopened.Depths(t.Context(), []queue.ID{builder})
	if err != nil || depths[0].Pending != 99 {
		t.Fatalf("depths are %+v and %v, want 99 pending", depths, err)
	}
	if receipt := mustAdmit(t, reopened, admission(numbered(99), 0)); receipt.Duplicate {
		t.Error("the torn event left a mark without a payload")
	}
}

// tearTail cuts bytes off the end of the append-only file.
func tearTail(t *testing.T, dataDir string, bytes int64) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dataDir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		t.Fatalf("found append-only files %v and %v, want one", files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(files[0], info.Size()-bytes); err != nil {
		t.Fatal(err)
	}
}
