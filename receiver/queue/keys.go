package queue

// Every key of the store. All keys of an endpoint carry its uid as hash tag, so
// that they share a slot and one script may use them together on a Cluster. The
// scripts make them of their common beginning, in lib.lua.
//
//	p:installation       string  id of the installation that the store belongs to
//	p:endpoints          set     uids of the endpoints that have, or had, events
//	p:{uid}:targets      set     names of the targets that have, or had, events
//	p:{uid}:e:<id>       string  the event record, which is the deduplication mark
//	                             of an event that is kept; never changed, but its
//	                             body may be given up; see codec.go and bodies.go
//	p:{uid}:states       hash    id → where the event stands, see below
//	p:{uid}:log          hash    "<id> <target> 0" → the latest [AttemptsKept] attempts,
//	                             a line each; see attempt.go
//	p:{uid}:excerpts     hash    "<id> <target>" → start of the latest answer; gives way
//	                             when memory is short
//	p:{uid}:seen         zset    marks of events that are no longer kept, or whose mark
//	                             stands for another event: id by end of the window, ms
//	                             "r:<mark>" stands for a replay mark
//	p:{uid}:forgotten    string  latest end of the windows of marks that gave way, ms
//	p:{uid}:r:<mark>     string  "<expiry ms>:<id of the first>": a replay mark, or the
//	                             id of an event whose mark stands for another
//	p:{uid}:f:<mark>     string  "<until ms>:<owner>": a mark whose event is just being
//	                             forwarded while its sender waits; see mark.go
//	p:{uid}:j:<id>       hash    long work: owner o until u, state s; see job.go
//	p:{uid}:c:<process>:<target>
//	                     string  the latest claim of a process: "<its name> <names of lost
//	                             claims>", then "<id> <fence> …", what it took; see claims.go
//	p:{uid}:q:<target>   zset    queue: id by when it is due, ms
//	p:{uid}:x:<target>   zset    dead letters of the target: id by when it died, ms
//	p:{uid}:pending      zset    events with a pending target: id by when received, ms
//	p:{uid}:dead         zset    events with a dead target: id by when it died last, ms
//	p:{uid}:history      zset    delivered events kept whole: id by when done, ms
//	p:{uid}:moving       none    is never there; see script.go
//
// A state is text, a line each:
//
//	<layout> <end of the deduplication window, ms; 0 without one> <history limit>
//	<target> <state> <fence> <attempts> <replay> <tries> <reason>
//
// with a line for every target. Its state is p waiting, l leased, d delivered,
// x dead or g given up; replay is when a person asked for it again, ms, or 0; tries counts over
// all replays; the reason is that of the last settlement that gave one. Names have
// no spaces and reasons no line ends.
const (
	keyEndpoints    = "p:endpoints"
	keyInstallation = "p:installation"
)

// stateLayout is the version of states. Scripts leave alone what has another:
// an event of a newer version waits for a process that knows it.
const stateLayout = "1"

// endpointKeys makes the keys of one endpoint; it is their common beginning.
type endpointKeys string

func keysOf(endpointUID string) endpointKeys {
	return endpointKeys("p:{" + endpointUID + "}:")
}

func (k endpointKeys) targets() string { return string(k) + "targets" }
func (k endpointKeys) pending() string { return string(k) + "pending" }
func (k endpointKeys) dead() string    { return string(k) + "dead" }
func (k endpointKeys) history() string { return string(k) + "history" }
func (k endpointKeys) seen() string    { return string(k) + "seen" }

func (k endpointKeys) record(id string) string         { return string(k) + "e:" + id }
func (k endpointKeys) held(mark string) string         { return string(k) + "f:" + mark }
func (k endpointKeys) job(id string) string            { return string(k) + "j:" + id }
func (k endpointKeys) queue(target string) string      { return string(k) + "q:" + target }
func (k endpointKeys) targetDead(target string) string { return string(k) + "x:" + target }
func (k endpointKeys) claim(process, target string) string {
	return string(k) + "c:" + process + ":" + target
}

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
