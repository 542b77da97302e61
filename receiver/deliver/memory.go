package deliver

// memory is room taken for one event, shared by its jobs. The engine's mutex
// guards it.
type memory struct {
	tenant *tenant
	bytes  int64
	users  int
}

const (
	// attemptBytes is what an attempt holds beside its event: a connection with its
	// buffers, and the headers of request and answer.
	attemptBytes = 64 << 10
	// minAttempts may be under way however little memory there is.
	minAttempts = 16
)

// SetMemoryBudget changes what the events held in memory may take. Those that
// take more stay, and later ones wait in the store.
func (e *Engine) SetMemoryBudget(bytes int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.budget = bytes
	e.maxInFlight = min(e.opts.MaxInFlight, max(int(bytes/attemptBytes), minAttempts))
}

// room is how many more bytes a tenant may take. A tenant may hold at most as
// much as is left free for others, so that there is always room for a newcomer
// however greedy the others are.
func (e *Engine) room(t *tenant) int64 {
	free := e.budget - e.used
	return max(0, (free-t.bytes)/2)
}

// take accounts for bytes whatever the room; callers ask before.
func (e *Engine) take(t *tenant, bytes int64, users int) *memory {
	e.used += bytes
	t.bytes += bytes
	return &memory{tenant: t, bytes: bytes, users: users}
}

// leave ends one use and frees the room after the last.
func (e *Engine) leave(m *memory) {
	m.users--
	if m.users > 0 {
		return
	}
	e.used -= m.bytes
	m.tenant.bytes -= m.bytes
}
