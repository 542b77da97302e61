package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// patience is how long something that must happen may take.
	patience = 2 * time.Minute
	// sampled is how many events their size is measured with.
	sampled = 20_000
	// idleFor is how long a receiver with a backlog is left alone.
	idleFor = 5 * time.Second
)

// bench is the measured system.
type bench struct {
	options
	receiver, store, target *process
	report                  *report
}

// measure starts everything, measures one thing after the other, and prints.
func measure(ctx context.Context, o options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := &bench{options: o, report: newReport(o)}
	plain, err := b.plain(ctx)
	if err != nil {
		return fmt.Errorf("the plain server: %w", err)
	}
	dir, err := os.MkdirTemp("", "postern-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := b.start(ctx, dir); err != nil {
		return err
	}
	defer b.store.stop()
	defer b.target.stop()
	defer b.receiver.stop()
	for _, part := range []struct {
		name string
		run  func(context.Context, figures) error
	}{{"delivery", b.endToEnd}, {"acks", b.acks}, {"sizes", b.sizes}, {"backlog", b.deadTarget}} {
		if !slices.Contains(strings.Split(b.parts, ","), part.name) {
			continue
		}
		if err := part.run(ctx, plain); err != nil {
			return err
		}
	}
	return b.report.print(os.Stdout)
}

func (b *bench) start(ctx context.Context, dir string) (err error) {
	if b.store, err = startStore(ctx, dir); err != nil {
		return fmt.Errorf("the store: %w", err)
	}
	if err := until(ctx, func() error { _, err := usedMemory(ctx, b.store.addr); return err }); err != nil {
		return fmt.Errorf("the store: %w", err)
	}
	if b.target, err = startRole(ctx, "target"); err != nil {
		return err
	}
	b.receiver, err = startRole(ctx, "receiver", "-store", "unix://"+b.store.addr, "-target", "http://"+b.target.addr,
		"-profile", b.profile)
	return err
}

// plain measures the server that only verifies.
func (b *bench) plain(ctx context.Context) (figures, error) {
	plain, err := startRole(ctx, "plain")
	if err != nil {
		return figures{}, err
	}
	defer plain.stop()
	load := newLoad(b.options, "http://"+plain.addr+"/")
	if _, err := load.run(ctx, b.warmUp, 0); err != nil {
		return figures{}, err
	}
	before, err := plain.cpu()
	if err != nil {
		return figures{}, err
	}
	seen, err := load.run(ctx, b.duration, 0)
	if err != nil {
		return figures{}, err
	}
	after, err := plain.cpu()
	b.report.rate("verify only", seen, seen)
	b.report.cpu("verify only", seen.count, after-before, 0)
	return seen, err
}

// endpoint is a load on one endpoint of the receiver.
func (b *bench) endpoint(name string) *load {
	return newLoad(b.options, "http://"+b.receiver.addr+"/ci/"+name)
}

// spent is the processor time of receiver and store so far.
func (b *bench) spent() (receiver, store time.Duration, err error) {
	receiver, err = b.receiver.cpu()
	if err != nil {
		return 0, 0, err
	}
	store, err = b.store.cpu()
	return receiver, store, err
}

// acks measures durable answers alone: nothing is delivered meanwhile.
func (b *bench) acks(ctx context.Context, plain figures) error {
	load := b.endpoint(endpointKept)
	if _, err := load.run(ctx, b.warmUp, 0); err != nil {
		return fmt.Errorf("durable answers: %w", err)
	}
	receiver, store, err := b.spent()
	if err != nil {
		return err
	}
	seen, err := load.run(ctx, b.duration, 0)
	if err != nil {
		return fmt.Errorf("durable answers: %w", err)
	}
	receiverAfter, storeAfter, err := b.spent()
	b.report.rate("durable answers", seen, plain)
	b.report.cpu("durable answers", seen.count, receiverAfter-receiver, storeAfter-store)
	return err
}

// endToEnd measures until the last event is delivered.
func (b *bench) endToEnd(ctx context.Context, plain figures) error {
	load := b.endpoint(endpointDelivered)
	warm, err := load.run(ctx, b.warmUp, 0)
	if err != nil {
		return fmt.Errorf("deliveries: %w", err)
	}
	if err := b.awaitDelivered(ctx, warm.count); err != nil {
		return err
	}
	before, err := b.delivered(ctx)
	if err != nil {
		return err
	}
	receiver, store, err := b.spent()
	if err != nil {
		return err
	}
	began := time.Now()
	seen, err := load.run(ctx, b.duration, 0)
	if err != nil {
		return fmt.Errorf("deliveries: %w", err)
	}
	if err := b.awaitDelivered(ctx, before+seen.count); err != nil {
		return err
	}
	whole := seen
	whole.took = time.Since(began)
	receiverAfter, storeAfter, err := b.spent()
	b.report.rate("answered and delivered", whole, plain)
	b.report.cpu("answered and delivered", seen.count, receiverAfter-receiver, storeAfter-store)
	return err
}

// sizes measures what an event takes in the store.
func (b *bench) sizes(ctx context.Context, _ figures) error {
	measured := func(name string, load func() error) error {
		before, err := usedMemory(ctx, b.store.addr)
		if err != nil {
			return err
		}
		if err := load(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		after, err := usedMemory(ctx, b.store.addr)
		b.report.fact("store memory, "+name, "%d B", (after-before)/sampled)
		return err
	}
	err := measured("queued event", func() error {
		_, err := b.endpoint(endpointKept).run(ctx, 0, sampled)
		return err
	})
	if err != nil {
		return err
	}
	return measured("mark of a delivered event", func() error {
		before, err := b.delivered(ctx)
		if err != nil {
			return err
		}
		if _, err := b.endpoint(endpointForgotten).run(ctx, 0, sampled); err != nil {
			return err
		}
		return b.awaitDelivered(ctx, before+sampled)
	})
}

// deadTarget measures what events cost that cannot be delivered.
func (b *bench) deadTarget(ctx context.Context, plain figures) error {
	before, err := usedMemory(ctx, b.store.addr)
	if err != nil {
		return err
	}
	if _, err := b.endpoint(endpointDead).run(ctx, 0, int64(b.backlog)); err != nil {
		return fmt.Errorf("events for a dead target: %w", err)
	}
	after, err := usedMemory(ctx, b.store.addr)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d events for a dead target", b.backlog)
	b.report.fact("store memory, "+name, "%d MiB", (after-before)>>20)
	resident, err := b.receiver.resident()
	if err != nil {
		return err
	}
	b.report.fact("receiver memory, "+name, "%d MiB", resident>>20)
	receiver, store, err := b.spent()
	if err != nil {
		return err
	}
	if err := wait(ctx, idleFor); err != nil {
		return err
	}
	receiverAfter, storeAfter, err := b.spent()
	if err != nil {
		return err
	}
	b.report.fact("idle beside them, receiver", "%.1f %% of a processor", percent(receiverAfter-receiver, idleFor))
	b.report.fact("idle beside them, store", "%.1f %% of a processor", percent(storeAfter-store, idleFor))
	seen, err := b.endpoint(endpointKept).run(ctx, b.duration, 0)
	if err != nil {
		return fmt.Errorf("durable answers beside a dead target: %w", err)
	}
	b.report.rate("durable answers beside them", seen, plain)
	return nil
}

func percent(part, whole time.Duration) float64 { return 100 * part.Seconds() / whole.Seconds() }

// delivered asks the target how many it got.
func (b *bench) delivered(ctx context.Context) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.target.addr+"/count", http.NoBody)
	if err != nil {
		return 0, err
	}
	response, err := (&http.Client{Timeout: patience}).Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(text), 10, 64)
}

func (b *bench) awaitDelivered(ctx context.Context, count int64) error {
	return until(ctx, func() error {
		got, err := b.delivered(ctx)
		if err == nil && got < count {
			err = fmt.Errorf("%d of %d events were delivered", got, count)
		}
		return err
	})
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// until tries until it works.
func until(ctx context.Context, try func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := try()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		if ended := wait(ctx, 10*time.Millisecond); ended != nil {
			return errors.Join(ended, err)
		}
	}
}
