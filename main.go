// Postern is one binary: the receiver and the manager that run in a cluster,
// and the tools for people. Called kubectl-postern it is a kubectl plugin.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/postern-dev/postern/cli"
)

func main() { os.Exit(run()) }

// run ends in order at the first signal and at once at the second.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	return cli.Main(ctx, os.Args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
}
