package wait_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/test/wait"
)

// failing is a test whose failure is looked at.
type failing struct {
	testing.TB
	failure string
}

func (*failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// ended runs a wait to its end and returns how long it took and how it failed.
func ended(wait func(testing.TB)) (took time.Duration, failure string) {
	began, f, done := time.Now(), &failing{}, make(chan struct{})
	go func() {
		defer close(done)
		wait(f)
	}()
	<-done
	return time.Since(began), f.failure
}

func TestWaits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		wait    func(testing.TB)
		failure string
	}{
		"what comes late": {func(t testing.TB) {
			began := time.Now()
			wait.Until(t, "late", func() bool { return time.Since(began) > wait.Patience/2 })
		}, ""},
		"what never comes": {func(t testing.TB) {
			wait.For(t, "never", func() error { return errors.New("the last error") })
		}, "the last error"},
		"a value": {func(t testing.TB) {
			values := make(chan int)
			time.AfterFunc(wait.Patience/2, func() { values <- 7 })
			if got := wait.Next(t, "a value", values); got != 7 {
				t.Errorf("got %d", got)
			}
		}, ""},
		"no value": {func(t testing.TB) { wait.Next(t, "a value", make(chan int)) }, "nothing came"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				took, failure := ended(test.wait)
				if (failure == "") != (test.failure == "") || !strings.Contains(failure, test.failure) {
					t.Errorf("it failed with %q, want %q", failure, test.failure)
				}
				if want := wait.Patience; test.failure != "" && took != want || test.failure == "" && took >= want {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}
