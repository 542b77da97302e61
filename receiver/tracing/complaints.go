package tracing

import (
	"log/slog"
	"sync"
	"time"
)

// complaints logs what the exporter has to say, once a minute at most: a
// collector that is away fails every batch.
type complaints struct {
	log *slog.Logger

	mu         sync.Mutex
	next       time.Time
	suppressed int
}

// Handle implements the error handler of OpenTelemetry.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Before(c.next) {
		c.suppressed++
		return
	}
	c.log.Warn("Traces were not exported", "error", err, "suppressed", c.suppressed)
	c.next, c.suppressed = now.Add(complainEvery), 0
}
