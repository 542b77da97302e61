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
		"container":                    {container: 1000, want: 900, inForce: 900},
		"explicit":                     {explicit: 700, want: 700, inForce: 700},
		"explicit, below":              {container: 1000, explicit: 700, want: 700, inForce: 700},
		"explicit, above":              {container: 1000, explicit: 2000, want: 900, inForce: 2000},
		"explicit off, container says": {container: 1000, explicit: math.MaxInt64, want: 900, inForce: math.MaxInt64},
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
