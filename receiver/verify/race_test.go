//go:build race

package verify_test

// The race detector drops pooled memory at random.
func init() { raceEnabled = true }
