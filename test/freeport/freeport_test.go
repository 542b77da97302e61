package freeport_test

import (
	"testing"

	"github.com/postern-dev/postern/test/freeport"
)

func TestFindFindsAnotherEachTime(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 1000 {
		got, err := freeport.Find()
		if err != nil {
			t.Fatal(err)
		}
		if seen[got] || got >= 32768 {
			t.Fatalf("got %d, want a new port below those of connections", got)
		}
		seen[got] = true
	}
}
