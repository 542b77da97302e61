package mutant

import "github.com/postern-dev/postern/test/chaos/check"

// requestMutants break what is promised about requests.
var requestMutants = []Mutant{
	{
		Name:       "deliver-unverified",
		Why:        "requests whose signature does not hold are delivered",
		Topology:   sidecar,
		Invariants: []check.Invariant{check.Authenticity},
		Patches: []Patch{{
			File: "receiver/ingest/verification.go",
			Old:  "	if x.route().Source.Enforcement != route.EnforcementAudit {\n",
			New:  "	if x.route().Source.Enforcement == route.EnforcementAudit {\n",
		}},
	},
	{
		Name:       "stale-accepted",
		Why:        "a request may be as old as it likes",
		Topology:   sidecar,
		Invariants: []check.Invariant{check.Authenticity},
		Patches: []Patch{{
			File: "receiver/verify/special.go",
			Old:  "	case age > t.past:\n",
			New:  "	case age > 1000*t.past:\n",
		}},
	},
	{
		Name:       "types-ignored",
		Why:        "targets get events of types that they do not want",
		Topology:   sidecar,
		Invariants: []check.Invariant{check.Phantoms},
		Patches: []Patch{{
			File: "receiver/table/targets.go",
			Old:  "	if !route.MatchesEventType(t.types, facts.Event.Type) {\n",
			New:  "	if !route.MatchesEventType(nil, facts.Event.Type) {\n",
		}},
	},
	{
		Name:       "counts-twice",
		Why:        "the metrics count every request twice",
		Topology:   sidecar,
		Invariants: []check.Invariant{check.Metrics},
		Patches: []Patch{{
			File: "receiver/ingest/handler.go",
			Old:  "	h.Metrics.Answered(x.route(), string(reply.outcome), took)\n",
			New: "	h.Metrics.Answered(x.route(), string(reply.outcome), took)\n" +
				"	h.Metrics.Answered(x.route(), string(reply.outcome), took)\n",
		}},
	},
}
