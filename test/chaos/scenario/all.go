package scenario

import (
	"time"

	"github.com/postern-dev/postern/test/chaos/fault"
	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

// lively traffic has forgeries, copies at the same moment and repetitions.
var lively = traffic.Options{Forged: 0.02, Copied: 0.02, Repeated: 0.05, Copies: 8}

// All are the scenarios, in the order in which they run.
func All() []*Scenario {
	return []*Scenario{
		{
			Name: "control", About: "no fault: every event exactly once",
			Share: 0.5, Least: 5 * time.Second, Topology: world.Sidecar, Timeout: 10, Traffic: lively,
		},
		{
			Name: "mix", About: "the default store under everything that heals in seconds",
			Share: 6, Least: 10 * time.Second, Topology: world.Sidecar, Timeout: 2, Traffic: lively,
			Every: 400 * time.Millisecond,
			Faults: []fault.Choice{
				{Kind: fault.KillReceiver, Weight: 4}, {Kind: fault.KillStore, Weight: 4}, {Kind: fault.KillBoth, Weight: 2},
				{Kind: fault.PauseReceiver, Weight: 0.5}, {Kind: fault.PauseStore, Weight: 0.5},
				{Kind: fault.CutRequest, Weight: 10}, {Kind: fault.CutReply, Weight: 10},
				{Kind: fault.KillAtRequest, Weight: 1}, {Kind: fault.KillAtReply, Weight: 1}, {Kind: fault.KillStoreAtRequest, Weight: 1},
				{Kind: fault.ResetWires, Weight: 4}, {Kind: fault.DelayWires, Weight: 1},
				{Kind: fault.StallWires, Weight: 0.3}, {Kind: fault.RefuseWires, Weight: 1},
				{Kind: fault.PowerLoss, Weight: 2}, {Kind: fault.SlowDisk, Weight: 0.5}, {Kind: fault.FailDisk, Weight: 1},
				{Kind: fault.Rewrite, Weight: 1}, {Kind: fault.KillRewrite, Weight: 1},
				{Kind: fault.TargetFails, Weight: 0.3}, {Kind: fault.TargetResets, Weight: 0.3}, {Kind: fault.TargetStops, Weight: 0.3},
			},
		},
	}
}
