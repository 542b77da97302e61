package mutant

import "github.com/postern-dev/postern/test/chaos/check"

// deliveryMutants break what is promised about deliveries.
var deliveryMutants = []Mutant{
	{
		Name:       "retry-after-ignored",
		Why:        "a target that asks for time is not given any",
		Topology:   sidecar,
		Faults:     []string{targetBusy, targetDown},
		Invariants: []check.Invariant{check.Schedule},
		Patches: []Patch{{
			File: "receiver/deliver/policy/retryafter.go",
			Old:  "		return time.Duration(seconds) * time.Second\n",
			New:  "		return 0 * time.Duration(seconds)\n",
		}},
	},
	{
		Name:       "no-backoff",
		Why:        "an event is tried again at once",
		Topology:   sidecar,
		Faults:     []string{targetRefuses},
		Invariants: []check.Invariant{check.Schedule},
		Patches: []Patch{{
			File: "receiver/deliver/policy/schedule.go",
			Old:  "	return time.Duration(random * float64(ceiling(retry, attempts)))\n",
			New:  "	return time.Duration(0 * random * float64(ceiling(retry, attempts)))\n",
		}},
	},
	{
		Name:       "any-answer-is-done",
		Why:        "an event counts as delivered when its target answered 500",
		Topology:   sidecar,
		Faults:     []string{targetFails},
		Invariants: []check.Invariant{check.Durability},
		Patches: []Patch{{
			File: "receiver/deliver/policy/outcome.go",
			Old:  "Outcome{Verdict: Retry, Reason: ReasonServerError,",
			New:  "Outcome{Verdict: Done, Reason: ReasonServerError,",
		}},
	},
	{
		Name:       "gives-up-on-outage",
		Why:        "the loop that claims events ends with the first error of the store",
		Topology:   sidecar,
		Faults:     []string{targetFails, killStore},
		Invariants: []check.Invariant{check.Durability, check.Liveness},
		Patches: []Patch{
			{
				File: "receiver/deliver/outage.go",
				Old:  "	first := e.outage.failed(time.Now(), e.opts.Rand())\n",
				New:  "	first := e.outage.failed(time.Now(), e.opts.Rand())\n	e.outage.until = time.Now().Add(time.Hour)\n",
			},
			{
				File: "receiver/deliver/outage.go",
				Old:  "	ended := e.outage.ended()\n",
				New:  "	ended := false\n",
			},
		},
	},
}
