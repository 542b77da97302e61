package fault

import "slices"

// Kinds are all faults, in the order of their numbers.
func Kinds() []*Kind {
	return []*Kind{
		KillReceiver, KillStore, KillBoth, KillManager,
		CutRequest, CutReply, KillAtRequest, KillAtReply, KillStoreAtRequest,
		PowerLoss,
		FillDisk, FullDisk,
		SlowDisk, FailDisk,
		FillMemory, ErrorPages, FullMemory,
		PauseReceiver, PauseStore, PausePastLease,
		ResetWires, DelayWires, StallWires, RefuseWires,
		TargetFails, TargetRefuses, TargetDown, TargetBusy, TargetRedirects, TargetHuge, TargetSlow, TargetLate,
		TargetHangs, TargetResets, TargetGone, TargetStops,
		ClockJump,
		LosePlane,
		Upgrade, Restart, ReplacePod,
		Rewrite, KillRewrite,
		TornTail, FlippedBits, BrokenFraming,
		KillPrimary, StopPrimary, KillReplica, StalledReplica, StalePrimary,
		Suspend, Rotate, Retarget, Recreate, Unroute,
		Slowloris, HugeHeaders, HugeBodies, Bombs, Smugglers,
		Storm,
		OtherInstallation, CutOff, Yield,
		Discard,
	}
}

// Named returns a kind by its name.
func Named(name string) (*Kind, bool) {
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k *Kind) bool { return k.Name == name })
	if i < 0 {
		return nil, false
	}
	return kinds[i], true
}
