package receivercmd

import (
	"os"
	"runtime/debug"

	"github.com/postern-dev/postern/receiver/table"
)

const (
	// manyRoutes is where what routes hold outweighs what requests leave behind.
	manyRoutes = 2000
	// tightPercent is how much garbage may then pile up on top of it.
	tightPercent = 60
	// usualPercent is Go's own default.
	usualPercent = 100
)

// saveMemory collects garbage earlier once there are many routes: what they hold
// is never garbage, and as much again on top would cost more memory than the
// time is worth. GOGC, if set, has the last word.
func saveMemory(loaded *table.Table) {
	if _, set := os.LookupEnv("GOGC"); set {
		return
	}
	percent := usualPercent
	if loaded.Len() > manyRoutes {
		percent = tightPercent
	}
	debug.SetGCPercent(percent)
}
