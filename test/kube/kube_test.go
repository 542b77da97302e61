package kube_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/test/kube"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		manifest string
		names    []string
		failure  string
	}{
		"several documents": {"kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n", []string{"a", "b"}, ""},
		"empty documents":   {"---\n# nothing\n---\nkind: A\nmetadata: {name: a}\n---\n", []string{"a"}, ""},
		"broken":            {"kind: A\n---\n{", nil, "document 2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects, err := kube.Decode([]byte(c.manifest))
			if c.failure != "" {
				if err == nil || !strings.Contains(err.Error(), c.failure) {
					t.Fatalf("error = %v, want one with %q", err, c.failure)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, o := range objects {
				names = append(names, o.GetName())
			}
			if strings.Join(names, " ") != strings.Join(c.names, " ") {
				t.Errorf("names = %v, want %v", names, c.names)
			}
		})
	}
}

func TestUntilSaysWhatWasWrong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		err := kube.Until(t.Context(), "the moon", time.Minute, func(ctx context.Context) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errors.New("too far")
		})
		if err == nil || !strings.Contains(err.Error(), "the moon: gave up after 1m0s: too far") {
			t.Errorf("error = %v", err)
		}
		if passed := time.Since(begin); passed != time.Minute {
			t.Errorf("gave up after %s, want a minute", passed)
		}
	})
}

func TestUntilReturnsAtOnceWhenTrue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls, begin := 0, time.Now()
		err := kube.Until(t.Context(), "three", time.Minute, func(context.Context) error {
			if calls++; calls < 3 {
				return errors.New("not yet")
			}
			return nil
		})
		if err != nil || calls != 3 || time.Since(begin) > time.Second {
			t.Errorf("error %v after %d calls and %s", err, calls, time.Since(begin))
		}
	})
}
