// Package serverargs has the command-line arguments of a Redis or Valkey server
// that is Postern's alone.
//
// It imports the standard library alone, so that whoever starts a server may import it: the
// manager, tests and benchmarks.
package serverargs

import "strconv"

// Durable are what the store refuses to do without, and what keeps a full or a
// torn one usable.
var Durable = []string{
	"--appendonly", "yes",
	"--appendfsync", "always",
	"--no-appendfsync-on-rewrite", "no",
	"--aof-load-truncated", "yes",
	"--save", "",
	"--maxmemory-policy", "noeviction",
	"--io-threads", "1",
}

// Tuned save processor time. Keys of an endpoint hold many small members that
// come and go, for which the compact encoding is slow; and a rewritten log holds
// bodies as they are.
var Tuned = []string{
	"--hash-max-listpack-entries", "16",
	"--zset-max-listpack-entries", "16",
	"--rdbcompression", "no",
}

// maxLog bounds the log that a start replays, at some hundred MB a second.
const maxLog = 256 << 20

// Sized are the limits that follow from the memory that data may take, in bytes.
// The log is rewritten once it is as large as that, if it has doubled.
func Sized(maxMemory int64) []string {
	return []string{
		"--maxmemory", strconv.FormatInt(maxMemory, 10),
		"--auto-aof-rewrite-min-size", strconv.FormatInt(min(maxMemory, maxLog), 10),
	}
}
