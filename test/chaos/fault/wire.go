package fault

import (
	"context"
	"time"

	"github.com/postern-dev/postern/test/chaos/proxy"
)

// F2: the end comes in the middle of a call of the store, at every byte in turn.
var (
	CutRequest = &Kind{Name: "F2 cut a request to redis", Lane: Wires, Needs: gated, Inject: cut(proxy.Requests)}
	CutReply   = &Kind{Name: "F2 cut a reply of redis", Lane: Wires, Needs: gated, Inject: cut(proxy.Replies)}

	KillAtRequest = &Kind{
		Name: "F2 kill receiver in a request to redis", Lane: Wires, Excuses: duplicates, AtBegin: true, Allows: leases,
		Needs: gated, Inject: killAt(proxy.Requests),
	}
	KillAtReply = &Kind{
		Name: "F2 kill receiver in a reply of redis", Lane: Wires, Excuses: duplicates, AtBegin: true, Allows: leases,
		Needs: gated, Inject: killAt(proxy.Replies),
	}
	KillStoreAtRequest = &Kind{
		Name: "F2 kill redis in a request", Lane: Wires, Excuses: duplicates, AtBegin: true, Needs: gated,
		Inject: killStoreAt,
	}
)

// F8: the connections to the store are bad.
var (
	ResetWires  = &Kind{Name: "F8 reset the store's connections", Lane: Wires, Needs: gated, Inject: resetWires}
	DelayWires  = &Kind{Name: "F8 slow store", Lane: Wires, Needs: gated, Inject: delayWires}
	StallWires  = &Kind{Name: "F8 silent store", Lane: Wires, Excuses: duplicates, Needs: gated, Inject: stallWires}
	RefuseWires = &Kind{Name: "F8 store refuses connections", Lane: Wires, Needs: gated, Inject: refuseWires}
)

const (
	// stride makes the sweep come to every byte of a call once in sweepBytes.
	stride     = 389
	sweepBytes = 2048
	// cutPatience is how long a cut waits for traffic to come to it.
	cutPatience = 2 * time.Second
)

func gated(e *Env) string {
	for _, s := range e.World.Stores {
		if s.Gate != nil {
			return ""
		}
	}
	return "the store's address comes from Sentinel, and nothing stands before it"
}

// next is the byte at which this call is cut: after it come all others.
func (i *Injection) next() int64 { return i.sweep.Add(stride) % sweepBytes }

func cut(direction proxy.Direction) func(context.Context, *Injection) error {
	return func(ctx context.Context, i *Injection) error {
		s, after := i.store(), i.next()
		i.Begin(s.Name, "after %d bytes", after)
		awaitCut(ctx, s.Gate, s.Gate.Cut(direction, after, nil))
		return i.World.AwaitReady(healing(ctx))
	}
}

func killAt(direction proxy.Direction) func(context.Context, *Injection) error {
	return func(ctx context.Context, i *Injection) error {
		r, s, after := i.receiver(), i.store(), i.next()
		i.Begin(r.Name, "kill -9 after %d bytes", after)
		awaitCut(ctx, s.Gate, s.Gate.Cut(direction, after, r.Kill))
		return i.World.AwaitReady(healing(ctx))
	}
}

func killStoreAt(ctx context.Context, i *Injection) error {
	s, after := i.store(), i.next()
	i.Begin(s.Name, "kill -9 after %d bytes of a request", after)
	awaitCut(ctx, s.Gate, s.Gate.Cut(proxy.Requests, after, s.Kill))
	return i.World.AwaitReady(healing(ctx))
}

func awaitCut(ctx context.Context, gate *proxy.Proxy, done <-chan struct{}) {
	timer := time.NewTimer(cutPatience)
	defer timer.Stop()
	defer gate.Uncut()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
	}
}

func resetWires(ctx context.Context, i *Injection) error {
	s := i.store()
	i.Begin(s.Name, "%d connections", s.Gate.Reset())
	return i.World.AwaitReady(healing(ctx))
}

func delayWires(ctx context.Context, i *Injection) error {
	s, delay := i.store(), i.between(time.Millisecond, 300*time.Millisecond)
	length := i.between(200*time.Millisecond, time.Second)
	i.Begin(s.Name, "%s more each way for %s", delay.Round(time.Millisecond), length.Round(time.Millisecond))
	s.Gate.Delay(delay)
	rest(ctx, length)
	s.Gate.Delay(0)
	return i.World.AwaitReady(healing(ctx))
}

func stallWires(ctx context.Context, i *Injection) error {
	s, length := i.store(), i.between(200*time.Millisecond, 4*time.Second)
	i.Begin(s.Name, "for %s", length.Round(time.Millisecond))
	s.Gate.Stall(true)
	rest(ctx, length)
	s.Gate.Stall(false)
	return i.World.AwaitReady(healing(ctx))
}

func refuseWires(ctx context.Context, i *Injection) error {
	s, length := i.store(), i.between(100*time.Millisecond, time.Second)
	i.Begin(s.Name, "for %s", length.Round(time.Millisecond))
	s.Gate.Refuse(true)
	s.Gate.Reset()
	rest(ctx, length)
	s.Gate.Refuse(false)
	return i.World.AwaitReady(healing(ctx))
}
