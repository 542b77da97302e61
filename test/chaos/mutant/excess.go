package mutant

import (
	"slices"

	"github.com/postern-dev/postern/test/chaos/check"
)

// eager looks at what there is to clean up ten times a second.
var eager = Patch{
	File: "receiver/deliver/clean.go",
	Old:  "	interval := min(e.opts.RemovedGrace, e.opts.GoneGrace) / 2\n",
	New:  "	interval := 100 * time.Millisecond\n",
}

// purging takes what a table does not name for what is deleted.
var purging = []Patch{eager, {
	File: "receiver/deliver/clean.go",
	Old:  "			orphans = append(orphans, uid)\n",
	New:  "			orphans = append(orphans, uid)\n			_ = c.engine.opts.Keeper.Purge(ctx, uid)\n",
}}

// excessMutants break what is promised where nothing fails: processes that see
// different things, stores that are small, clocks that differ.
var excessMutants = []Mutant{
	{
		Name:     "shares-its-store",
		Why:      "a store is used whoever owns it, and events of endpoints of another installation are purged",
		Scenario: "apart",
		Faults:   []string{stranger},
		Signs:    []Sign{{check.Durability, lost}},
		Patches: slices.Concat(purging, []Patch{{
			File: "receiver/queue/owner.go",
			Old:  "	if err != nil || own == \"\" {\n		return \"\", err\n",
			New:  "	if err != nil || own != \"nobody\" {\n		return own, err\n",
		}}),
	},
	{
		Name:     "purges-while-cut-off",
		Why:      "a replica that hears of nothing purges an endpoint that it has never heard of",
		Scenario: "apart",
		Faults:   []string{cutOff},
		Signs:    []Sign{{check.Durability, lost}},
		Patches:  purging,
	},
	{
		Name:     "buries-while-cut-off",
		Why:      "a replica that hears of nothing buries the events of a target that it has never heard of",
		Scenario: "apart",
		Faults:   []string{cutOff},
		Signs:    []Sign{{check.Durability, `a dead letter as "target_removed"`}},
		Patches: []Patch{
			eager,
			{
				File: "receiver/deliver/clean.go",
				Old:  "!c.absent(id, c.engine.opts.RemovedGrace)",
				New:  "!c.absent(id, 0)",
			},
			{
				File: "receiver/deliver/clean.go",
				Old:  "	removed := len(deliveries) > 0 && e.removed(ctx, id)\n",
				New:  "	removed := len(deliveries) > 0\n",
			},
		},
	},
	{
		Name:     "yields-and-stops",
		Why:      "an endpoint that loses its path to an older one delivers no more",
		Topology: sidecar,
		Faults:   []string{yield},
		Signs:    []Sign{{check.Liveness, "in the backlog, the first delivery after"}},
		Patches: []Patch{{
			File: "receiver/table/table.go",
			Old: "	t.byUID[r.UID] = endpoint\n	if r.Draining {\n" +
				"		return nil // it only delivers what it has\n	}\n",
			New: "	if r.Draining {\n		return nil\n	}\n	t.byUID[r.UID] = endpoint\n",
		}},
	},
	{
		Name:     "clock-of-the-store",
		Why:      "when an event is due is told by the store's clock and read by the receiver's",
		Scenario: "targets",
		Faults:   []string{targetRefuses},
		Signs: []Sign{
			{check.Liveness, "pending at the end"}, {check.Liveness, "in the backlog, the first delivery after"},
		},
		Patches: []Patch{
			{
				File: "receiver/queue/scripts/depth.lua",
				Old:  "reply[3] = integer(redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')[2] - now)",
				New:  "reply[3] = integer(redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')[2])",
			},
			{
				File: "receiver/queue/worker.go",
				Old:  "	depth.NextDue, depth.Oldest, depth.LastDue = dueIn(next, here), ",
				New:  "	depth.NextDue, depth.Oldest, depth.LastDue = scoreTime(next), ",
			},
		},
	},
	{
		Name:     "keeps-error-pages",
		Why:      "what targets answer is kept however little memory there is",
		Scenario: "memory",
		Faults:   []string{errorPages},
		Signs:    []Sign{{check.Bounds, "store_used_percent is"}},
		Patches: []Patch{
			{
				File: "receiver/queue/scripts/settle.lua",
				Old:  "  used = used or memory()\n",
				New:  "  used = 0\n",
			},
			{
				File: "receiver/queue/scripts/giveway.lua",
				Old:  "redis.call('HRANDFIELD', e.excerpts, most)",
				New:  "redis.call('HRANDFIELD', e.excerpts, 0)",
			},
		},
	},
	{
		Name:     "history-refuses",
		Why:      "delivered events count against the quota of their namespace, and do not give way",
		Scenario: "kept",
		Signs:    []Sign{{check.Liveness, "refused as namespace_full"}},
		Patches: []Patch{
			{
				File: "receiver/quota/keeper.go",
				Old:  "shared.kept.Load() >= k.options.MaxBytes",
				New:  "shared.used.Load() >= k.options.MaxBytes",
			},
			{
				File: "receiver/quota/keeper.go",
				Old:  "nearPart, lowPart, yieldPart, forgetPart = 0.75, 0.7, 0.85, 0.9",
				New:  "nearPart, lowPart, yieldPart, forgetPart = 0.75, 70, 85, 90",
			},
		},
	},
	{
		Name:     "drains-no-backoff",
		Why:      "a receiver whose store ends with it leaves what is in its back-off",
		Scenario: "ephemeral",
		Faults:   []string{replacePod},
		Signs:    []Sign{{check.Durability, lost}},
		Patches: []Patch{{
			File: "receiver/deliver/drain.go",
			Old:  "	if e.opts.DrainStore && e.phase == draining && !e.emptied {\n",
			New:  "	if e.opts.DrainStore && e.phase == running && !e.emptied {\n",
		}},
	},
}
