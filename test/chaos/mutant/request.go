package mutant

import "github.com/postern-dev/postern/test/chaos/check"

// requestMutants break what is promised about requests.
var requestMutants = []Mutant{
	{
		Name:     "deliver-unverified",
		Why:      "requests whose signature does not hold are delivered",
		Topology: sidecar,
		Signs:    []Sign{{check.Authenticity, unverified}},
		Patches: []Patch{{
			File: "receiver/ingest/verification.go",
			Old:  "	if x.route().Source.Enforcement != route.EnforcementAudit {\n",
			New:  "	if x.route().Source.Enforcement == route.EnforcementAudit {\n",
		}},
	},
	{
		Name:     "stale-accepted",
		Why:      "a request may be as old as it likes",
		Topology: sidecar,
		Signs:    []Sign{{check.Authenticity, unverified}},
		Patches: []Patch{{
			File: "receiver/verify/special.go",
			Old:  "	case age > t.past:\n",
			New:  "	case age > 1000*t.past:\n",
		}},
	},
	{
		Name:     "swallows",
		Why:      "different events have one mark, so that all but the first are answered duplicate",
		Topology: sidecar,
		Signs:    []Sign{{check.Duplicates, "a different event was swallowed"}},
		Patches: []Patch{{
			File: "receiver/queue/admit.go",
			Old:  "		markID: a.Event.ID, id: a.Event.ID,",
			New:  "		markID: a.Event.ID[:2], id: a.Event.ID,",
		}},
	},
	{
		Name:     "types-ignored",
		Why:      "targets get events of types that they do not want",
		Topology: sidecar,
		Signs:    []Sign{{check.Phantoms, "are for other targets"}},
		Patches: []Patch{{
			File: "receiver/table/targets.go",
			Old:  "	if !route.MatchesEventType(t.types, facts.Event.Type) {\n",
			New:  "	if !route.MatchesEventType(nil, facts.Event.Type) {\n",
		}},
	},
	{
		Name:     "counts-twice",
		Why:      "the metrics count every request twice",
		Topology: sidecar,
		Signs:    []Sign{{check.Metrics, "in the metrics"}},
		Patches: []Patch{{
			File: "receiver/ingest/handler.go",
			Old:  "	h.Metrics.Answered(x.route(), string(reply.outcome), took)\n",
			New: "	h.Metrics.Answered(x.route(), string(reply.outcome), took)\n" +
				"	h.Metrics.Answered(x.route(), string(reply.outcome), took)\n",
		}},
	},
	{
		Name:     "keeps-all",
		Why:      "what requests were read into is kept for good",
		Topology: sidecar,
		Signs:    []Sign{{check.Bounds, "rss_bytes is"}},
		Patches: []Patch{
			{
				File: "receiver/ingest/handler.go",
				Old:  "	h.Metrics.Answered(x.route(), string(reply.outcome), took)\n",
				New: "	h.Metrics.Answered(x.route(), string(reply.outcome), took)\n" +
					"	kept.Store(x, bytes.Repeat([]byte{1}, 512<<10))\n",
			},
			{
				File: "receiver/ingest/handler.go",
				Old:  "// Options configure a [Handler].",
				New:  "var kept sync.Map\n\n// Options configure a [Handler].",
			},
			{
				File: "receiver/ingest/handler.go",
				Old:  "import (\n",
				New:  "import (\n	\"bytes\"\n	\"sync\"\n",
			},
		},
	},
}
