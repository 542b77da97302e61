package quota

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// due returns the endpoints whose measurement is too old, the oldest first and
// no more than one tick may measure.
func (k *Keeper) due(now time.Time) []*account {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var due []*account
	for _, a := range k.accounts {
		interval := idle
		if a.measured > 0 || a.added.Load() > 0 {
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
		if k.isNear(a.namespace.used.Load()) && (a.measured > 0 || a.added.Load() > 0) {
			crowded = append(crowded, a)
		}
	}
	return crowded
}

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

// book replaces what was estimated by what was measured.
func (k *Keeper) book(accounts []*account, added, sizes []int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	told := map[*namespace]bool{}
	for i, a := range accounts {
		if k.accounts[a.uid] != a {
			continue // closed meanwhile
		}
		a.added.Add(-added[i])
		a.namespace.used.Add(sizes[i] - a.measured - added[i])
		a.measured, a.at = sizes[i], now
		told[a.namespace] = true
	}
	for shared := range told {
		k.options.Measured(shared.name, shared.used.Load())
	}
}
