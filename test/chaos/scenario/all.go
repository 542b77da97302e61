package scenario

import (
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/fault"
	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

// lively traffic has forgeries, copies at the same moment and repetitions.
var lively = traffic.Options{Forged: 0.02, Copied: 0.02, Repeated: 0.05, Copies: 8}

// eager senders try again soon, so that many events get through between faults.
func eager() traffic.Options {
	options := lively
	options.MaxWait, options.UnderWay = 500*time.Millisecond, 2048
	return options
}

// impatient senders leave a receiver that does not answer, as a load balancer does.
func impatient() traffic.Options {
	options := lively
	options.Timeout, options.Workers = 2*time.Second, 256
	return options
}

// All are the scenarios, in the order in which they run.
func All() []*Scenario {
	return []*Scenario{
		control(), mix(), replicas(), failover(), upgrade(), ephemeral(), config(), apart(), clients(), targets(), files(),
		disk(), memory(), kept(), stale(),
	}
}

func control() *Scenario {
	return &Scenario{
		Name: "control", About: "no fault: every event exactly once",
		Share: 0.5, Least: 5 * time.Second, Topology: world.Sidecar, Timeout: 10, Traffic: lively,
	}
}

func mix() *Scenario {
	return &Scenario{
		Name: "mix", About: "the default store under everything that heals in seconds",
		Recovery: recovery,
		Share:    8, Least: 15 * time.Second, Topology: world.Sidecar, Timeout: 2, Usual: flaky, Traffic: eager(),
		Every: 400 * time.Millisecond,
		Faults: []fault.Choice{
			{Kind: fault.KillReceiver, Weight: 4}, {Kind: fault.KillStore, Weight: 4}, {Kind: fault.KillBoth, Weight: 2},
			{Kind: fault.PauseReceiver, Weight: 0.5}, {Kind: fault.PauseStore, Weight: 0.5},
			{Kind: fault.CutRequest, Weight: 10}, {Kind: fault.CutReply, Weight: 10},
			{Kind: fault.KillAtRequest, Weight: 1}, {Kind: fault.KillAtReply, Weight: 1},
			{Kind: fault.KillStoreAtRequest, Weight: 1},
			{Kind: fault.ResetWires, Weight: 4}, {Kind: fault.DelayWires, Weight: 1},
			{Kind: fault.StallWires, Weight: 0.3}, {Kind: fault.RefuseWires, Weight: 1},
			{Kind: fault.PowerLoss, Weight: 2}, {Kind: fault.SlowDisk, Weight: 0.5}, {Kind: fault.FailDisk, Weight: 1},
			{Kind: fault.Rewrite, Weight: 1}, {Kind: fault.KillRewrite, Weight: 1},
			{Kind: fault.TargetFails, Weight: 0.3}, {Kind: fault.TargetResets, Weight: 0.3},
			{Kind: fault.TargetStops, Weight: 0.3},
		},
	}
}

func replicas() *Scenario {
	return &Scenario{
		Name: "replicas", About: "two receivers on one store: copies across both, leases that run out, rolling restarts",
		Recovery: recovery,
		Share:    2, Least: 15 * time.Second, Topology: world.External, Receivers: 2, Timeout: 2, Usual: flaky,
		Traffic: impatient(), Every: time.Second,
		Faults: []fault.Choice{
			{Kind: fault.KillReceiver, Weight: 3}, {Kind: fault.KillStore, Weight: 2}, {Kind: fault.KillBoth, Weight: 1},
			{Kind: fault.PauseReceiver, Weight: 1}, {Kind: fault.PausePastLease, Weight: 0.2},
			{Kind: fault.CutRequest, Weight: 3}, {Kind: fault.CutReply, Weight: 3}, {Kind: fault.ResetWires, Weight: 2},
			{Kind: fault.StallWires, Weight: 0.3}, {Kind: fault.PowerLoss, Weight: 1},
			{Kind: fault.Restart, Weight: 1}, {Kind: fault.Storm, Weight: 0.5},
		},
	}
}

func failover() *Scenario {
	return &Scenario{
		Name: "failover", About: "a primary and a replica behind Sentinel: every acknowledged event is on both",
		Recovery: recovery,
		Share:    1.5, Least: 30 * time.Second, Topology: world.Sentinel, Receivers: 2, Timeout: 2, Usual: stubborn,
		Rate: 500, Traffic: impatient(), Every: 10 * time.Second,
		Faults: []fault.Choice{
			{Kind: fault.KillPrimary, Weight: 2}, {Kind: fault.StopPrimary, Weight: 1}, {Kind: fault.KillReplica, Weight: 1},
			{Kind: fault.StalledReplica, Weight: 1},
			{Kind: fault.KillReceiver, Weight: 1},
		},
	}
}

func stale() *Scenario {
	s := failover()
	s.Name, s.About, s.Named = "stale", "the old primary comes back before Sentinel has told of the new one", true
	s.Faults = []fault.Choice{{Kind: fault.StalePrimary, Weight: 1}}
	return s
}

func upgrade() *Scenario {
	return &Scenario{
		Name: "upgrade", About: "two builds take turns with events queued: nothing lost, nothing twice",
		Recovery: recovery,
		Share:    0.8, Least: 10 * time.Second, Topology: world.Sidecar, Timeout: 5, Usual: flaky, Traffic: lively,
		Every: 2500 * time.Millisecond,
		Faults: []fault.Choice{
			{Kind: fault.Upgrade, Weight: 2}, {Kind: fault.Restart, Weight: 1}, {Kind: fault.TargetFails, Weight: 1},
		},
	}
}

func ephemeral() *Scenario {
	return &Scenario{
		Name: "ephemeral", About: "pods go with their volumes, with events in back-off: all is delivered before",
		Recovery: recovery,
		Share:    0.5, Least: 15 * time.Second, Topology: world.Ephemeral, Timeout: 2, Usual: flaky, Rate: 300,
		Every:  7 * time.Second,
		Faults: []fault.Choice{{Kind: fault.ReplacePod, Weight: 2}, {Kind: fault.KillReceiver, Weight: 1}},
	}
}

func apart() *Scenario {
	return &Scenario{
		Name: "apart", About: "one replica hears of no change, and another installation is given the store",
		Recovery: recovery,
		Share:    0.7, Least: 20 * time.Second, Topology: world.External, Receivers: 2, Doors: 1, Timeout: 5, Usual: flaky,
		Rate: 500, Traffic: lively, Every: 6 * time.Second,
		Faults: []fault.Choice{{Kind: fault.CutOff, Weight: 1}, {Kind: fault.OtherInstallation, Weight: 1}},
	}
}

func config() *Scenario {
	return &Scenario{
		Name: "config", About: "endpoints, targets and secrets change; manager and API server go",
		Recovery: recovery,
		Share:    1, Least: 15 * time.Second, Topology: world.Sidecar, Timeout: 5, Usual: flaky, Rate: 1000,
		Traffic: lively, Unjudged: []check.Invariant{check.Metrics}, // counters go with their endpoint
		Every: 3 * time.Second,
		Faults: []fault.Choice{
			{Kind: fault.Suspend, Weight: 1}, {Kind: fault.Rotate, Weight: 1}, {Kind: fault.Retarget, Weight: 1},
			{Kind: fault.Recreate, Weight: 1}, {Kind: fault.Unroute, Weight: 0.5}, {Kind: fault.Yield, Weight: 0.5},
			{Kind: fault.KillManager, Weight: 0.5},
			{Kind: fault.LosePlane, Weight: 0.5},
		},
	}
}

func clients() *Scenario {
	return &Scenario{
		Name: "clients", About: "clients that mean ill and a thousand copies at once; the store's clock is behind",
		Share: 1, Least: 15 * time.Second, Topology: world.Sidecar, Timeout: 10, Rate: 500, Traffic: lively, Ahead: -skew,
		Every: 3 * time.Second,
		Faults: []fault.Choice{
			{Kind: fault.Slowloris, Weight: 1}, {Kind: fault.HugeHeaders, Weight: 1}, {Kind: fault.HugeBodies, Weight: 1},
			{Kind: fault.Bombs, Weight: 1}, {Kind: fault.Smugglers, Weight: 1}, {Kind: fault.Storm, Weight: 2},
		},
	}
}

func targets() *Scenario {
	return &Scenario{
		Name: "targets", About: "targets fail in every way, retries keep to their schedule; the store's clock is ahead",
		Recovery: recovery,
		Share:    1, Least: 15 * time.Second, Topology: world.Sidecar, Timeout: 2, Rate: 300, Traffic: lively, Ahead: skew,
		Every: 1500 * time.Millisecond,
		Faults: []fault.Choice{
			{Kind: fault.TargetFails, Weight: 1}, {Kind: fault.TargetRefuses, Weight: 1},
			{Kind: fault.TargetDown, Weight: 1}, {Kind: fault.TargetBusy, Weight: 1},
			{Kind: fault.TargetRedirects, Weight: 1}, {Kind: fault.TargetHuge, Weight: 0.3}, {Kind: fault.TargetSlow, Weight: 1},
			{Kind: fault.TargetLate, Weight: 1}, {Kind: fault.TargetHangs, Weight: 1}, {Kind: fault.TargetResets, Weight: 1},
			{Kind: fault.TargetStops, Weight: 1}, {Kind: fault.TargetGone, Weight: 0.5}, {Kind: fault.Discard, Weight: 0.5},
		},
	}
}

func files() *Scenario {
	return &Scenario{
		Name: "files", About: "the log is torn, damaged and broken; the clock of the store is wrong",
		Recovery: recovery,
		Share:    1, Least: 15 * time.Second, Topology: world.Sidecar, Timeout: 2, Usual: flaky, Rate: 1000,
		Every: 4 * time.Second,
		Faults: []fault.Choice{
			{Kind: fault.TornTail, Weight: 3}, {Kind: fault.FlippedBits, Weight: 2}, {Kind: fault.BrokenFraming, Weight: 1},
			{Kind: fault.ClockJump, Weight: 1},
		},
	}
}

func disk() *Scenario {
	return &Scenario{
		Name: "disk", About: "a small disk fills and is freed",
		Recovery: recovery,
		Share:    0.7, Least: 10 * time.Second, Topology: world.Sidecar, Timeout: 2, Usual: flaky, Rate: 500,
		Volume:    128 * mib,
		StoreArgs: []string{"--auto-aof-rewrite-min-size", "8mb"},
		Every:     5 * time.Second,
		Faults:    []fault.Choice{{Kind: fault.FillDisk, Weight: 1}, {Kind: fault.FullDisk, Weight: 1}},
	}
}

func memory() *Scenario {
	return &Scenario{
		Name: "memory", About: "the store's memory fills with events, and with what is not Postern's",
		Recovery: recovery,
		Share:    0.7, Least: 10 * time.Second, Topology: world.Sidecar, Timeout: 2, Rate: 3000,
		Traffic:   lively,
		StoreArgs: []string{"--maxmemory", "32mb"},
		Every:     6 * time.Second,
		Faults: []fault.Choice{
			{Kind: fault.FillMemory, Weight: 1}, {Kind: fault.ErrorPages, Weight: 1}, {Kind: fault.FullMemory, Weight: 1},
		},
	}
}

// kept events fill the quotas of their namespaces. Events that wait for their
// targets take a small part of them.
func kept() *Scenario {
	s := &Scenario{
		Name: "kept", About: "no fault: the history of each namespace fills its quota and refuses nothing",
		Share: 0.3, Least: 10 * time.Second, Topology: world.Sidecar, Timeout: 10, Rate: 300, Traffic: lively,
		History: 10_000, ReceiverArgs: []string{smallQuota}, Never: []string{namespaceFull},
	}
	s.Traffic.MinBody, s.Traffic.MaxBody = 2000, 4000
	return s
}

const (
	// skew is how far the clocks of store and receivers are apart where they are.
	skew = 10 * time.Minute
	// smallQuota is what some seconds of events take.
	smallQuota    = "--namespace-max-stored-bytes=4194304"
	namespaceFull = "namespace_full"
)
