// Package memory keeps a process below the memory limit of its container.
//
// It imports the standard library and pflag alone.
package memory

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"

	"github.com/spf13/pflag"
)

const (
	// programBytes is what the pages of the program itself take.
	programBytes = 40 << 20
	// heapPercent is the part of the rest that Go may use: buffers of the kernel
	// count too.
	heapPercent = 90
)

// Options say how much memory the container has.
type Options struct {
	// LimitBytes is the container's limit; 0 is no limit.
	LimitBytes uint64
}

// BindFlags declares the flag.
func (o *Options) BindFlags(flags *pflag.FlagSet) {
	flags.Uint64Var(&o.LimitBytes, "memory-limit-bytes", 0,
		"memory limit of the container; Go gets 90 % of what the program leaves, unless GOMEMLIMIT says how much; "+
			"0 is no limit")
}

// allowance is what Go may use of a container's limit. Half of a very small one.
func allowance(limit int64) int64 {
	return max(limit-programBytes, limit/2) / 100 * heapPercent
}

// Apply has Go collect garbage in time to stay within the limit, unless
// GOMEMLIMIT says something else. It returns what Go may use, 0 for no limit.
func (o *Options) Apply(logger *slog.Logger) int64 {
	allowed := allowance(int64(min(o.LimitBytes, math.MaxInt64)))
	_, explicit := os.LookupEnv("GOMEMLIMIT")
	if !explicit && allowed > 0 {
		debug.SetMemoryLimit(allowed)
	}
	limit := debug.SetMemoryLimit(-1)
	if explicit && allowed > 0 {
		limit = min(limit, allowed)
	}
	if limit == math.MaxInt64 {
		logger.Info("Memory has no limit")
		return 0
	}
	logger.Info("Memory has a limit", "bytes", limit, "containerBytes", o.LimitBytes, "fromGOMEMLIMIT", explicit)
	return limit
}
