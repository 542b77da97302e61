package server

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// cleanups is a stack of what must be taken down, by name.
type cleanups struct {
	log   *slog.Logger
	steps []cleanup
}

type cleanup struct {
	name string
	run  func(context.Context) error
}

func (c *cleanups) push(name string, run func(context.Context) error) {
	c.steps = append(c.steps, cleanup{name: name, run: run})
}

// run takes everything down, the latest first. One step's failure does not
// keep the others from running.
func (c *cleanups) run(ctx context.Context) {
	for _, step := range slices.Backward(c.steps) {
		began := time.Now()
		err := step.run(ctx)
		took := time.Since(began).Round(time.Millisecond).String()
		if err != nil {
			c.log.Warn("Stopped in disorder", "part", step.name, "took", took, "error", err)
			continue
		}
		c.log.Info("Stopped", "part", step.name, "took", took)
	}
	c.steps = nil
}
