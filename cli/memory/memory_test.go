package memory_test

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"testing"

	"github.com/postern-dev/postern/cli/memory"
)

// TestLimit changes the limit of the test's own process and gives it back.
func TestLimit(t *testing.T) { //nolint:paralleltest // there is one limit, and one environment
	for name, test := range map[string]struct {
		explicit  int64
		container uint64
		// want is returned, and inForce is what Go keeps to.
		want, inForce int64
	}{
		"none":                         {want: 0, inForce: math.MaxInt64},
		"container":                    {container: 440 << 20, want: 360 << 20, inForce: 360 << 20},
		"explicit":                     {explicit: 300 << 20, want: 300 << 20, inForce: 300 << 20},
		"explicit, below":              {container: 440 << 20, explicit: 300 << 20, want: 300 << 20, inForce: 300 << 20},
		"explicit, above":              {container: 440 << 20, explicit: 500 << 20, want: 360 << 20, inForce: 500 << 20},
		"explicit off, container says": {container: 440 << 20, explicit: math.MaxInt64, want: 360 << 20, inForce: math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // likewise
			before := debug.SetMemoryLimit(math.MaxInt64)
			defer debug.SetMemoryLimit(before)
			t.Setenv("GOMEMLIMIT", "") // has it restored
			if err := os.Unsetenv("GOMEMLIMIT"); err != nil {
				t.Fatal(err)
			}
			if test.explicit > 0 {
				// The runtime reads the variable when the process starts.
				t.Setenv("GOMEMLIMIT", "set")
				debug.SetMemoryLimit(test.explicit)
			}
			options := memory.Options{LimitBytes: test.container}
			if got := options.Apply(slog.New(slog.DiscardHandler)); got != test.want {
				t.Errorf("the process may use %d, want %d", got, test.want)
			}
			if got := debug.SetMemoryLimit(-1); got != test.inForce {
				t.Errorf("Go keeps to %d, want %d", got, test.inForce)
			}
		})
	}
}
