package mutant

import "github.com/postern-dev/postern/test/chaos/check"

// deliveryMutants break what is promised about deliveries.
var deliveryMutants = []Mutant{
	{
		Name:     "purges-what-it-does-not-see",
		Why:      "events of an endpoint that the table does not name are purged",
		Topology: sidecar,
		Faults:   []string{unroute},
		Targets:  Stubborn,
		Signs:    []Sign{{check.Durability, lost}},
		Patches:  purging,
	},
	{
		Name:     "retry-after-ignored",
		Why:      "a target that asks for time is not given any",
		Topology: sidecar,
		Faults:   []string{targetBusy, targetDown},
		Targets:  Busy,
		Signs:    []Sign{{check.Schedule, "before the time that its target asked for"}},
		Patches: []Patch{{
			File: "receiver/deliver/policy/retryafter.go",
			Old:  "		return time.Duration(seconds) * time.Second\n",
			New:  "		return 0 * time.Duration(seconds)\n",
		}},
	},
	{
		Name:     "no-backoff",
		Why:      "an event is tried again at once",
		Topology: sidecar,
		Faults:   []string{targetRefuses},
		Signs:    []Sign{{check.Schedule, "the mean of"}},
		Patches: []Patch{{
			File: "receiver/deliver/policy/schedule.go",
			Old:  "	return time.Duration(random * float64(ceiling(retry, attempts)))\n",
			New:  "	return time.Duration(0 * random * float64(ceiling(retry, attempts)))\n",
		}},
	},
	{
		Name:     "any-answer-is-done",
		Why:      "an event counts as delivered when its target answered 500",
		Topology: sidecar,
		Faults:   []string{targetFails},
		Signs:    []Sign{{check.Durability, lost}},
		Patches: []Patch{{
			File: "receiver/deliver/policy/outcome.go",
			Old:  "Outcome{Verdict: Retry, Reason: ReasonServerError,",
			New:  "Outcome{Verdict: Done, Reason: ReasonServerError,",
		}},
	},
	{
		Name:     "gives-up-on-outage",
		Why:      "the loop that claims events ends with the first error of the store",
		Topology: sidecar,
		Faults:   []string{killStore},
		Targets:  Stubborn,
		Signs:    []Sign{{check.Durability, lost}, {check.Liveness, "pending at the end"}},
		Patches: []Patch{
			{
				File: "receiver/deliver/outage.go",
				Old:  "	first := o.failed(time.Now(), e.opts.Rand())\n",
				New:  "	first := o.failed(time.Now(), e.opts.Rand())\n	o.until = time.Now().Add(time.Hour)\n",
			},
			{
				File: "receiver/deliver/outage.go",
				Old:  "		if o == nil {\n			continue\n",
				New:  "		if o == nil || o.failures > 0 {\n			continue\n",
			},
		},
	},
	{
		Name:     "rests-after-outage",
		Why:      "after an error of the store nobody looks at its queues for some seconds",
		Topology: sidecar,
		Faults:   []string{killStore},
		Targets:  Stubborn,
		Signs:    []Sign{{check.Liveness, "in the backlog, the first delivery after"}},
		Patches: []Patch{
			{
				File: "receiver/deliver/outage.go",
				Old:  "	first := o.failed(time.Now(), e.opts.Rand())\n",
				New: "	first := o.failed(time.Now(), e.opts.Rand())\n" +
					"	o.until = time.Now().Add(8 * time.Second)\n",
			},
			{
				File: "receiver/deliver/outage.go",
				Old:  "		if o == nil {\n			continue\n",
				New:  "		if o == nil || time.Now().Before(o.until) {\n			continue\n",
			},
		},
	},
}
