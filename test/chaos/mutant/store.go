package mutant

import "github.com/postern-dev/postern/test/chaos/check"

// storeMutants break what is promised about the store.
var storeMutants = []Mutant{
	{
		Name:     "ack-before-store",
		Why:      "the sender is answered before the event is stored",
		Topology: sidecar,
		Faults:   []string{killStore, killReceiver},
		Signs:    []Sign{{check.Durability, lost}},
		Patches: []Patch{{
			File: "receiver/ingest/admit.go",
			Old:  "	receipt, err := h.store(x, admission)\n",
			New: `	admission.LeaseFor = 0
	receipt, err := queue.Receipt{EventID: x.event.ID}, error(nil)
	go func() {
		if _, err := h.store(x, admission); err == nil {
			h.Deliverer.Wake(queues...)
		}
	}()
`,
		}},
	},
	{
		Name:     "ack-on-error",
		Why:      "an event that the store did not take is acknowledged",
		Topology: sidecar,
		Faults:   []string{killStore},
		Signs:    []Sign{{check.Durability, lost}},
		Patches: []Patch{{
			File: "receiver/ingest/admit.go",
			Old:  "		return nil, refuseStore(err)\n",
			New:  "		return h.stored(x, queue.Receipt{EventID: x.event.ID}), nil\n",
		}},
	},
	{
		Name:     "mark-first",
		Why:      "the mark of deduplication is written before the event, in a step of its own",
		Topology: sidecar,
		Faults:   []string{killStore, resetStore},
		Rate:     1500,
		Signs:    []Sign{{check.Durability, lost}},
		Patches: []Patch{
			{
				File: "receiver/queue/admit.go",
				Old:  "	work := admission.work()\n",
				New: `	if marked, err := r.markFirst(ctx, admission); err != nil || marked {
		return Receipt{EventID: admission.Event.ID, Duplicate: marked}, err
	}
	work := admission.work()
`,
			},
			{
				File: "receiver/queue/admit.go",
				Old:  "// granted is the receipt of an event that was stored.\n",
				New: `func (r *Redis) markFirst(ctx context.Context, admission *Admission) (bool, error) {
	client, err := r.connected()
	if err != nil {
		return false, err
	}
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	key := string(keysOf(admission.Event.EndpointUID)) + "r:first-" + admission.Event.ID
	err = client.Do(ctx, client.B().Set().Key(key).Value("1").Nx().ExSeconds(3600).Build()).Error()
	if rueidis.IsRedisNil(err) {
		return true, nil
	}
	return false, stepError("mark", err)
}

// granted is the receipt of an event that was stored.
`,
			},
		},
	},
	{
		Name:      "everysec",
		Why:       "events are acknowledged up to a second before they are on the disk",
		Topology:  sidecar,
		Faults:    []string{powerLoss},
		Targets:   Stubborn,
		StoreArgs: []string{"--appendfsync", "everysec"},
		Signs:     []Sign{{check.Durability, lost}},
		Patches: []Patch{{
			File: "receiver/queue/settings.go",
			Old:  `{Name: "appendfsync", Want: "always"`,
			New:  `{Name: "appendfsync", Want: "everysec"`,
		}},
	},
	{
		Name:     "pop-without-lease",
		Why:      "an event is taken out of its queue when it is claimed, not when it is delivered",
		Topology: sidecar,
		Faults:   []string{killReceiver},
		Targets:  Slow,
		Signs:    []Sign{{check.Durability, lost}},
		Patches: []Patch{{
			File: "receiver/queue/scripts/claim.lua",
			Old:  "    add(due, integer(now + lease), id)\n",
			New:  "    redis.call('ZREM', queue, id)\n",
		}},
	},
	{
		Name:     "forget-on-restart",
		Why:      "what the process before had under way is dropped instead of taken over",
		Topology: sidecar,
		Faults:   []string{killReceiver},
		Targets:  Slow,
		Signs:    []Sign{{check.Durability, lost}},
		Patches: []Patch{{
			File: "receiver/queue/scripts/lib.lua",
			Old:  "      add(due, integer(now), id)\n",
			New:  "      redis.call('ZREM', queue, id)\n",
		}},
	},
	{
		Name:     "no-fence",
		Why:      "a worker that was stopped past its leases goes on as if it had them",
		Topology: external,
		Faults:   []string{stopPastLease},
		Signs:    []Sign{{check.Duplicates, "delivered again"}},
		Patches: []Patch{
			{
				File: "receiver/queue/scripts/renew.lua",
				Old:  "  if s and s.letter == 'l' and s.fence == tonumber(ARGV[2 * i + 4]) then\n",
				New:  "  if true then\n",
			},
			{
				File: "receiver/queue/scripts/settle.lua",
				Old:  "  if not s or s.letter ~= 'l' or s.fence ~= tonumber(ARGV[at + 1]) then return 0 end\n",
				New:  "  if not s then return 0 end\n",
			},
		},
	},
	{
		Name:     "no-dedup",
		Why:      "each of a provider's retries is an event of its own",
		Topology: sidecar,
		Signs:    []Sign{{check.Duplicates, "times within the window"}},
		Patches: []Patch{{
			File: "receiver/ingest/identify.go",
			Old:  "		result.id = x.digest(\"id\", own.Key)\n",
			New:  "		result.id = x.digest(\"id\", own.Key+queue.NewID())\n",
		}},
	},
	{
		Name:     "no-checksum",
		Why:      "stored bytes are delivered without a look at whether they are those that were stored",
		Topology: sidecar,
		Faults:   []string{flipBits},
		Signs:    []Sign{{check.Authenticity, "delivered with body"}, {check.Phantoms, "nobody sent it"}},
		Patches: []Patch{{
			File: "receiver/queue/codec.go",
			Old:  "string(sum[:]) != string(record[1:sumEnd]) {\n",
			New:  "len(sum) == 0 {\n",
		}},
	},
	{
		Name:     "unchecked-wait",
		Why:      "an event is acknowledged although no replica has it",
		Topology: sentinel,
		Faults:   []string{failover},
		Targets:  Stubborn,
		Signs:    []Sign{{check.Durability, lost}},
		Patches: []Patch{{
			File: "receiver/queue/replicas_redis.go",
			Old:  "confirmed < confirmedReplicas {\n",
			New:  "confirmed < 0 {\n",
		}},
	},
}
