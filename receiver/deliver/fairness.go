package deliver

import "time"

// tenant is a namespace: the unit between which the engine is fair first. The
// engine's mutex guards it.
type tenant struct {
	name     string
	lanes    int
	inFlight int
	bytes    int64
	// line holds the lanes that can run, each at most once.
	line fifo[*lane]
	// ready is set while the tenant stands in the engine's line.
	ready bool
}

// enqueue puts a lane that can run into its tenant's line, and the tenant into
// the engine's.
func (e *Engine) enqueue(l *lane) {
	if l.ready || !l.runnable() {
		return
	}
	l.ready = true
	l.tenant.line.push(l)
	if !l.tenant.ready {
		l.tenant.ready = true
		e.line.push(l.tenant)
	}
}

// next takes the job whose turn it is: tenants in turn, and within a tenant
// its lanes in turn, whatever their backlogs. It returns nil when nobody may
// begin an attempt now.
func (e *Engine) next() *job {
	for range e.line.len() {
		t := e.line.pop()
		j := e.nextOf(t)
		if t.line.len() > 0 {
			e.line.push(t)
		} else {
			t.ready = false
		}
		if j != nil {
			return j
		}
	}
	return nil
}

func (e *Engine) nextOf(t *tenant) *job {
	for range t.line.len() {
		l := t.line.pop()
		if l.runnable() && !e.mayBegin(l) {
			t.line.push(l)
			continue
		}
		l.ready = false
		if !l.runnable() {
			continue
		}
		j := l.pop()
		e.begin(l)
		e.enqueue(l)
		return j
	}
	return nil
}

// quickLatency is how quick a target must have answered to be called quick.
const quickLatency = time.Second

// mayBegin keeps slots free for others: a tenant may have as many attempts in
// flight as there are free slots, a lane half as many, and the last quarter is
// for targets that answered quickly the last time. However many targets hang
// until their timeout, those that work go on as before.
func (e *Engine) mayBegin(l *lane) bool {
	free := e.maxInFlight - e.inFlight
	if !l.quick && free <= e.maxInFlight/4 {
		return false
	}
	return free > 0 && l.tenant.inFlight < free && l.inFlight <= free/2
}

func (e *Engine) begin(l *lane) {
	l.inFlight++
	l.tenant.inFlight++
	e.inFlight++
}

func (e *Engine) end(l *lane) {
	l.inFlight--
	l.tenant.inFlight--
	e.inFlight--
}
