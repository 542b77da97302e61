// Command bench measures what a durable answer and a delivery cost, beside the
// least that anybody could do: a plain net/http server that only verifies the
// signature. `make bench-ack` runs it.
//
// Receiver, store, target and the plain server are processes of their own, so
// that each one's processor time is known; the load comes from this one. All
// share the machine, load included.
//
// It imports cli/dataplane, receiver/route/routetest and receiver/queue/serverargs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// options are the flags.
type options struct {
	connections int
	duration    time.Duration
	warmUp      time.Duration
	backlog     int
	bodyBytes   int
	parts       string

	role    string
	store   string
	target  string
	profile string
}

func main() {
	var o options
	flag.IntVar(&o.connections, "connections", 256, "connections of the load")
	flag.DurationVar(&o.duration, "duration", 5*time.Second, "how long each rate is measured")
	flag.DurationVar(&o.warmUp, "warm-up", time.Second, "load before each measurement")
	flag.IntVar(&o.backlog, "backlog", 100_000, "events that are queued for a dead target")
	flag.IntVar(&o.bodyBytes, "body", 1<<10, "bytes of a body")
	flag.StringVar(&o.parts, "parts", "acks,delivery,sizes,backlog", "what is measured")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the receiver to this file")
	flag.StringVar(&o.role, "role", "", "what this process is, for processes that the command starts")
	flag.StringVar(&o.store, "store", "", "URL of the store, for the role receiver")
	flag.StringVar(&o.target, "target", "", "URL of the target, for the role receiver")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	switch o.role {
	case "":
		return measure(ctx, o)
	case "plain":
		return servePlain(ctx)
	case "target":
		return serveTarget(ctx)
	case "receiver":
		return serveReceiver(ctx, o)
	}
	return fmt.Errorf("role %q is unknown", o.role)
}
