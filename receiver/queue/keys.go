package queue

// Every key of the store. All keys of an endpoint carry its uid as hash tag, so
// that they share a slot and one script may use them together on a Cluster.
//
//	p:endpoints          set     uids of the endpoints that have, or had, events
//	p:{uid}:targets      set     names of the targets that have, or had, events
//	p:{uid}:e:<id>       hash    the event record, which is the deduplication mark
//	p:{uid}:r:<mark>     string  replay mark: "<expiry ms>:<id of the first>"
//	p:{uid}:q:<target>   zset    queue: id by when it is due, ms
//	p:{uid}:x:<target>   zset    dead letters of the target: id by when it died, ms
//	p:{uid}:pending      zset    events with a pending target: id by when received, ms
//	p:{uid}:dead         zset    events with a dead target: id by when it died last, ms
//	p:{uid}:j:<id>       hash    long work: owner o until u, state s; see job.go
//	p:{uid}:history      zset    delivered events kept whole: id by when done, ms
//
// Fields of an event record; a tombstone has only x and n:
//
//	m            meta, see codec.go
//	b            body
//	x            end of the deduplication window, ms; 0 without deduplication
//	n            id of the event that the mark stands for, if another than its own
//	h            history limit of the endpoint at admission
//	o, k         number of targets that are pending, and that are dead
//	t:<target>   "<state> <fence> <attempts> <replay> <tries>"; state: p waiting,
//	             l leased, d delivered, x dead; tries counts over all replays
//	r:<target>   reason of the last settlement that gave one
//	a:<target>:N latest attempts as JSON, N = tries modulo [AttemptsKept]
const keyEndpoints = "p:endpoints"

// endpointKeys makes the keys of one endpoint; it is their common beginning.
type endpointKeys string

func keysOf(endpointUID string) endpointKeys {
	return endpointKeys("p:{" + endpointUID + "}:")
}

func (k endpointKeys) targets() string { return string(k) + "targets" }
func (k endpointKeys) pending() string { return string(k) + "pending" }
func (k endpointKeys) dead() string    { return string(k) + "dead" }
func (k endpointKeys) history() string { return string(k) + "history" }

// records is the common beginning of the keys of all event records; scripts
// that find ids in a set complete it.
func (k endpointKeys) records() string { return string(k) + "e:" }

func (k endpointKeys) record(id string) string         { return string(k) + "e:" + id }
func (k endpointKeys) job(id string) string            { return string(k) + "j:" + id }
func (k endpointKeys) replayMark(mark string) string   { return string(k) + "r:" + mark }
func (k endpointKeys) queue(target string) string      { return string(k) + "q:" + target }
func (k endpointKeys) targetDead(target string) string { return string(k) + "x:" + target }
func (k endpointKeys) index(status Status) (key string) {
	switch status {
	case StatusDead:
		return k.dead()
	case StatusDelivered:
		return k.history()
	default:
		return k.pending()
	}
}
