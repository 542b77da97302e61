package quota

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

// due returns the endpoints whose measurement is too old, the oldest first and
// no more than one tick may measure.
func (k *Keeper) due(now time.Time) []*account {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var due []*account
	for _, a := range k.accounts {
		interval := idle
		if a.holds() {
			interval = k.refresh
		}
		if now.Sub(a.at) >= interval {
			due = append(due, a)
		}
	}
	slices.SortFunc(due, func(a, b *account) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.uid, b.uid)) })
	return due[:min(len(due), batch*batches)]
}

// crowded returns the endpoints that hold something in the namespaces that are
// near their limit.
func (k *Keeper) crowded() []*account {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var crowded []*account
	for _, a := range k.accounts {
		if k.isNear(a.namespace.used.Load()) && a.holds() {
			crowded = append(crowded, a)
		}
	}
	return crowded
}

func (a *account) holds() bool { return a.measured.Total() > 0 || a.added.Load() > 0 }

// measure asks the store. A store that cannot be asked changes no account.
func (k *Keeper) measure(ctx context.Context, accounts []*account) {
	for some := range slices.Chunk(accounts, batch) {
		uids, added := make([]string, len(some)), make([]int64, len(some))
		for i, a := range some {
			// What is admitted from here on is counted twice until the next time.
			uids[i], added[i] = a.uid, a.added.Load()
		}
		sizes, err := k.options.Store.Sizes(ctx, uids)
		if ctx.Err() != nil {
			return
		}
		if before := k.blind.Swap(err != nil); err != nil {
			if !before {
				k.options.Logger.Warn("What namespaces have in the store cannot be measured: nobody is refused for it",
					"error", err)
			}
			return
		}
		k.book(some, added, sizes)
	}
}

// measureCrowded measures all of the namespaces that are near their limit, has
// what they need not keep give way, and ends the waiting of requests for it.
func (k *Keeper) measureCrowded(ctx context.Context) {
	began, crowded := time.Now().UnixNano(), k.crowded()
	k.measure(ctx, crowded)
	for _, a := range crowded {
		a.namespace.full.Store(k.exceeded(a.namespace))
		a.namespace.at.Store(began)
	}
	k.giveWay(ctx)
	next := make(chan struct{})
	close(*k.round.Swap(&next))
}

// giveWay has what namespaces need not keep give way while they have too much.
func (k *Keeper) giveWay(ctx context.Context) {
	for shared, uids := range k.swollen() {
		used, limit := float64(shared.used.Load()), float64(k.options.MaxBytes)
		freed, err := k.options.Store.GiveWay(ctx, uids, int64(used-lowPart*limit), int64(used-forgetPart*limit))
		if err != nil {
			if ctx.Err() == nil {
				k.options.Logger.Warn("The history of a namespace cannot give way", "namespace", shared.name, "error", err)
			}
			return
		}
		if freed > 0 {
			k.measureSoon()
		}
	}
}

// swollen returns the endpoints of the namespaces that have too much, of which
// some need not be kept.
func (k *Keeper) swollen() map[*namespace][]string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	uids := map[*namespace][]string{}
	if k.options.MaxBytes == 0 {
		return uids
	}
	for _, a := range k.accounts {
		swollen := float64(a.namespace.used.Load()) >= yieldPart*float64(k.options.MaxBytes)
		if swollen && a.measured.Total() > a.measured.Kept {
			uids[a.namespace] = append(uids[a.namespace], a.uid)
		}
	}
	return uids
}

// book replaces what was estimated by what was measured.
func (k *Keeper) book(accounts []*account, added []int64, sizes []queue.Usage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	told := map[*namespace]bool{}
	for i, a := range accounts {
		if k.accounts[a.uid] != a {
			continue // closed meanwhile
		}
		a.added.Add(-added[i])
		a.namespace.used.Add(sizes[i].Total() - a.measured.Total() - added[i])
		a.namespace.kept.Add(sizes[i].Kept - a.measured.Kept - added[i])
		a.measured, a.at = sizes[i], now
		k.options.Remembered(a.route, Window(a.route, sizes[i].Forgotten, now))
		told[a.namespace] = true
	}
	for shared := range told {
		k.options.Measured(shared.name, shared.used.Load())
	}
}
