package queue

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/postern-dev/postern/receiver/event"
)

// DefaultMemoryBytes bounds a [Memory] store that names no bound.
const DefaultMemoryBytes = 256 << 20

// markBytes is what one deduplication mark is charged for.
const markBytes = 128

// MemoryOptions configure a [Memory] store.
type MemoryOptions struct {
	// MaxBytes bounds what is kept; 0 means [DefaultMemoryBytes].
	MaxBytes int64
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
}

// Memory is a store that forgets everything when the process ends, for
// `postern dev` and for tests of the stages around the store.
type Memory struct {
	clock    func() time.Time
	maxBytes int64

	mu        sync.Mutex
	used      int64
	endpoints map[string]*memoryEndpoint
	jobs      map[Job]memoryJob
}

var _ Store = (*Memory)(nil)

// NewMemory makes an empty store.
func NewMemory(options MemoryOptions) *Memory {
	if options.MaxBytes == 0 {
		options.MaxBytes = DefaultMemoryBytes
	}
	if options.Clock == nil {
		options.Clock = time.Now
	}
	return &Memory{
		clock:     options.Clock,
		maxBytes:  options.MaxBytes,
		endpoints: map[string]*memoryEndpoint{},
		jobs:      map[Job]memoryJob{},
	}
}

// Admit implements [Admitter].
func (m *Memory) Admit(_ context.Context, admission *Admission) (Receipt, error) {
	if len(admission.Targets)+len(admission.Dead) == 0 {
		return Receipt{}, errNoTargets
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	endpoint := m.endpoint(admission.Event.EndpointUID)
	m.used -= endpoint.forgetSome(now)
	if first, ok := endpoint.first(admission.Event.ID, admission.ReplayMark, now); ok {
		return Receipt{EventID: first, Duplicate: true, Body: endpoint.matchBody(first, admission.Event.Body)}, nil
	}
	size := admission.Event.Size() + 2*markBytes
	if short := m.used + size - m.maxBytes; short > 0 {
		m.giveWay(slices.Collect(maps.Keys(m.endpoints)), short, short)
	}
	if m.used+size > m.maxBytes {
		return Receipt{}, ErrFull
	}
	markID := admission.Event.ID
	if endpoint.records[markID] != nil {
		admission.Event.ID = NewID()
	}
	m.used += endpoint.remember(markID, admission.Event.ID, admission.ReplayMark, admission.RememberFor, now)
	m.used += admission.Event.Size()
	return endpoint.enqueue(admission, now), nil
}

// UsedRatio is the part of the bound that is in use.
func (m *Memory) UsedRatio() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return float64(m.used) / float64(m.maxBytes)
}

// endpoint returns what is kept for an endpoint; the caller holds the lock.
func (m *Memory) endpoint(uid string) *memoryEndpoint {
	endpoint := m.endpoints[uid]
	if endpoint == nil {
		endpoint = &memoryEndpoint{
			uid:     uid,
			records: map[string]*memoryRecord{},
			marks:   map[string]memoryMark{},
			held:    map[string]memoryHold{},
			queues:  map[string]*memoryQueue{},
		}
		m.endpoints[uid] = endpoint
	}
	return endpoint
}

// NewID makes an event id for an event that is not deduplicated: 32 hex digits.
func NewID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

var errNoTargets = errors.New("an admission must name at least one target")

// memoryEndpoint is what is kept for one endpoint.
type memoryEndpoint struct {
	uid     string
	records map[string]*memoryRecord
	// marks are the deduplication marks by id, and by "r:"+ReplayMark.
	marks map[string]memoryMark
	// held are the marks of events that are being delivered, by the same names.
	held   map[string]memoryHold
	queues map[string]*memoryQueue
	// forgotten is the latest end of the windows of marks that gave way.
	forgotten time.Time
	// history holds delivered events, oldest first.
	history []*memoryRecord
}

type memoryMark struct {
	first string
	until time.Time
}

// memoryRecord is one event and where it stands.
type memoryRecord struct {
	event        *event.Event
	historyLimit int
	// bodyBytes is the size of the body that is gone.
	bodyGone  bool
	bodyBytes int64
	changedAt time.Time
	diedAt    time.Time
	targets   []*memoryTarget
}

// first finds the event whose copy one with this id and replay mark is.
func (e *memoryEndpoint) first(id, replayMark string, now time.Time) (string, bool) {
	mark, marked := e.marks[id]
	if marked && mark.until.After(now) {
		return mark.first, true
	}
	if !marked && e.records[id] != nil {
		return id, true
	}
	if replayMark == "" {
		return "", false
	}
	mark = e.marks["r:"+replayMark]
	return mark.first, mark.until.After(now)
}

// matchBody compares a body with that of the event with this id.
func (e *memoryEndpoint) matchBody(first string, body []byte) BodyMatch {
	record := e.records[first]
	if record == nil || record.bodyGone {
		return BodyUnknown
	}
	return MatchBodies(record.event.Body, body)
}

// remember sets the marks and returns the bytes to charge.
func (e *memoryEndpoint) remember(markID, first, replayMark string, window time.Duration, now time.Time) int64 {
	before := len(e.marks)
	if window > 0 {
		mark := memoryMark{first: first, until: now.Add(window)}
		e.marks[markID] = mark
		if replayMark != "" {
			e.marks["r:"+replayMark] = mark
		}
	}
	return int64(len(e.marks)-before) * markBytes
}

// forgetSome drops a few elapsed marks and returns the bytes they were charged.
// Two looks for at most two new marks an admission keep up on average. The mark
// of an event that is still kept stays: it tells an elapsed window from none.
func (e *memoryEndpoint) forgetSome(now time.Time) int64 {
	looks, dropped := 4, 0
	for key, mark := range e.marks {
		if looks--; looks < 0 {
			break
		}
		if !mark.until.After(now) && e.records[key] == nil {
			delete(e.marks, key)
			dropped++
		}
	}
	return int64(dropped) * markBytes
}

// enqueue schedules the event at every target.
func (e *memoryEndpoint) enqueue(admission *Admission, now time.Time) Receipt {
	id := admission.Event.ID
	receipt := Receipt{EventID: id}
	record := &memoryRecord{
		event:        admission.Event,
		historyLimit: admission.HistoryLimit,
		changedAt:    admission.Event.ReceivedAt,
	}
	e.records[id] = record
	for _, name := range admission.Targets {
		target := &memoryTarget{name: name, record: record, status: StatusPending, due: now}
		record.targets = append(record.targets, target)
		e.queue(name).add(target)
		if admission.LeaseFor > 0 {
			lease := e.queue(name).lease(target, now.Add(admission.LeaseFor))
			lease.Queue.EndpointUID = e.uid
			receipt.Leases = append(receipt.Leases, lease)
		}
	}
	for _, name := range admission.Dead {
		target := &memoryTarget{name: name, record: record, status: StatusDead, reason: admission.DeadReason, position: -1}
		record.targets = append(record.targets, target)
		record.diedAt = now
		e.queue(name).dead[id] = target
	}
	if len(admission.Targets) == 0 {
		record.changedAt = now
	}
	return receipt
}

func (e *memoryEndpoint) queue(target string) *memoryQueue {
	queue := e.queues[target]
	if queue == nil {
		queue = &memoryQueue{dead: map[string]*memoryTarget{}}
		e.queues[target] = queue
	}
	return queue
}
