package deliver_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

// longLease is longer than a test can last: what is delivered after its answer
// was lost did not wait for it.
const longLease = 10 * time.Minute

// newLossyPlant is a plant whose store can lose its answers. deliveries has the
// ids of the events that came.
func newLossyPlant(t *testing.T) (p *plant, proxy *redistest.Proxy, deliveries chan string) {
	t.Helper()
	deliveries = make(chan string, 100)
	redis := redistest.Start(t)
	proxy = redistest.StartProxy(t, redis)
	options := queue.Options{URL: proxy.URL(), StepTimeout: 10 * time.Second}
	p = newPlantOn(t, redis, options, longLease, func(_ http.ResponseWriter, r *http.Request) {
		deliveries <- r.Header.Get("Postern-Event-Id")
	})
	// The scripts are loaded, or the answer lost would be that they are not there.
	for n, handOver := range []bool{true, false} {
		if err := p.admit(t.Context(), p.event(n, nil), handOver); err != nil {
			t.Fatal(err)
		}
		await(t, deliveries, n)
	}
	p.awaitDrained(t)
	return p, proxy, deliveries
}

// await waits for the delivery of one event.
func await(t *testing.T, deliveries <-chan string, number int) {
	t.Helper()
	want := fmt.Sprintf("%032x", number)
	if id := wait.Next(t, "the delivery of event "+want, deliveries); id != want {
		t.Fatalf("event %s came, want %s", id, want)
	}
}

// awaitLeased waits until the store says that an event is leased.
func (p *plant) awaitLeased(t *testing.T, number int) {
	t.Helper()
	wait.For(t, fmt.Sprintf("the lease of event %d", number), func() error {
		state := p.redis.Do(t, "HGET", "p:{"+p.route.UID+"}:states", fmt.Sprintf("%032x", number))
		if !strings.Contains(state, "\na l ") {
			return fmt.Errorf("it is %q", state)
		}
		return nil
	})
}

func TestLostAnswerOfAnAdmissionCostsNoLease(t *testing.T) {
	t.Parallel()
	p, proxy, deliveries := newLossyPlant(t)
	proxy.Mute()
	failed := make(chan error, 1)
	go func() { failed <- p.admit(t.Context(), p.event(10, nil), true) }()
	p.awaitLeased(t, 10)
	proxy.Restore()
	if err := <-failed; err == nil {
		t.Fatal("an admission without an answer was acknowledged")
	}
	await(t, deliveries, 10)
	p.awaitDrained(t)
}

func TestLostAnswerOfAClaimCostsNoLease(t *testing.T) {
	t.Parallel()
	p, proxy, deliveries := newLossyPlant(t)
	for n := 10; n < 15; n++ {
		admission := &queue.Admission{Event: p.event(n, nil), Targets: []string{"a"}, HistoryLimit: 1 << 20}
		direct := queuetest.Connect(t, queue.Options{URL: p.redis.URL()})
		proxy.Mute()
		if _, err := direct.Admit(t.Context(), admission); err != nil {
			t.Fatal(err)
		}
		p.engine.Wake(queues(p.route)...)
		p.awaitLeased(t, n)
		proxy.Restore()
		await(t, deliveries, n)
	}
	p.awaitDrained(t)
}

// TestDoubtfulLeaseThatComesLateIsGivenBack: the store is asked before it has
// done the admission that is in doubt.
func TestDoubtfulLeaseThatComesLateIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		ev := w.event(e)
		reservation, ok := w.engine.Reserve(queues(e), ev.Size())
		if !ok {
			t.Fatal("nothing was reserved")
		}
		reservation.Cancel(queue.Lease{Queue: queues(e)[0], EventID: ev.ID, Fence: 1})
		pass(100 * time.Millisecond)
		if got := w.worker.called("Settle"); got != 1 {
			t.Fatalf("the store was asked %d times, want once", got)
		}
		admission := &queue.Admission{Event: ev, Targets: names(e), HistoryLimit: 1, LeaseFor: longLease}
		if _, err := w.store.Admit(t.Context(), admission); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		w.expectStatus(queue.StatusDelivered, ev)
	})
}

// TestDoubtsOutliveAnOutage: while the store is away they are kept, in bounds,
// and no longer than the leases.
func TestDoubtsOutliveAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := endpoint("ci", "a")
		w := newWorld(t, nil, e)
		w.worker.fail(queue.ErrUnavailable)
		var leases []queue.Lease
		for range 5000 {
			ev := w.event(e)
			receipt, err := w.store.Admit(t.Context(), &queue.Admission{
				Event: ev, Targets: names(e), HistoryLimit: 1 << 20, LeaseFor: longLease,
			})
			if err != nil {
				t.Fatal(err)
			}
			leases = append(leases, receipt.Leases...)
		}
		for _, lease := range leases {
			reservation, ok := w.engine.Reserve(queues(e), 1000)
			if !ok {
				t.Fatal("a lease in doubt takes room in memory")
			}
			reservation.Cancel(lease)
		}
		pass(10 * time.Second)
		w.worker.fail(nil)
		pass(10 * time.Second)
		if got := len(w.targets.at()); got != 4096 {
			t.Errorf("%d events came soon after the outage, want those of the 4096 leases that are kept", got)
		}
		w.worker.fail(queue.ErrUnavailable)
		ev := w.event(e)
		reservation, _ := w.engine.Reserve(queues(e), ev.Size())
		reservation.Cancel(queue.Lease{Queue: queues(e)[0], EventID: ev.ID, Fence: 1})
		pass(time.Minute)
		w.worker.fail(nil)
		before := w.worker.called("Settle")
		pass(time.Minute)
		if got := w.worker.called("Settle"); got != before {
			t.Errorf("the store was asked %d times for a lease that is long over", got-before)
		}
	})
}
