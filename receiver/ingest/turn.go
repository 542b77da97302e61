package ingest

import "time"

const (
	// turnFor is how long a body may take to arrive before it loses its turn: an
	// idle sender of a long body must not keep others waiting.
	turnFor = time.Second
	// headPart is the part of the budget that turns leave to the heads of requests.
	headPart = 8
	// unreadBytes is what the server may hold of a request that waits for its turn.
	unreadBytes = 256 << 10
)

// awaitTurn waits until there is room for all of a large body. Many that come at
// once would else each get a part of their room, and none all of it. A body that
// gets no turn is read without one, as far as there is room.
//
// A turn ends with the request, or when the body is late.
func (h *Handler) awaitTurn(x *exchange, announced int64) (arrived func()) {
	if announced <= firstChunk {
		return func() {}
	}
	began := time.Now()
	x.turn = h.turns.holding(x)
	granted := x.turn.await(x.request.Context(), announced, h.RoomTimeout)
	x.deadline.postpone(time.Since(began))
	if !granted {
		return func() {}
	}
	late := time.AfterFunc(turnFor, x.turn.end)
	return func() { late.Stop() }
}
