// Command postern is all of Postern: the manager, the receiver, and the tools
// for people. Installed as kubectl-postern it is a plugin of kubectl.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/postern-dev/postern/cli"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cli.Run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
}
