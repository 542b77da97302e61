// Package dev is `postern dev`: the data plane over a folder of manifests,
// without a cluster, with a line on the terminal for every event.
//
// It imports dataplane, manifests and routes; the compile step and everything
// after it is what runs in a cluster.
package dev

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/dataplane"
	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/logging"
	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/receiver/server"
)

const gracePeriod = 5 * time.Second

// Command is `postern dev`.
func Command() *cobra.Command {
	var given options
	command := &cobra.Command{
		Use:   "dev -f PATH... --forward-to URL [flags]",
		Short: "Receive webhooks on this machine, without a cluster",
		Long: `Receive webhooks on this machine, without a cluster: the same manifests
(WebhookEndpoint, Secret), the same compile step, the same data plane. Events go to
--forward-to instead of the targets' Services.

Edits of the files take effect at once; a broken edit is explained and the last good
configuration goes on. Every event gets a line on standard output: time, endpoint,
type, id, verdict, and the target's status and latency. All else is on standard error.

In a terminal, Enter delivers the last event again.`,
		Example: `  postern dev -f hooks/ --forward-to http://localhost:3000
  postern dev -f hooks.yaml --forward-to http://localhost:3000 --forward ci/audit=http://localhost:4000

  # In a second terminal
  postern send github --secret-file secret.txt --url http://localhost:8080/ci/github
  postern events list ci/github --internal-url http://127.0.0.1:8081`,
		RunE: func(command *cobra.Command, more []string) error {
			given.files = append(given.files, more...)
			return run(command.Context(), &given, command.InOrStdin(), command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	given.bind(command.Flags())
	return command
}

func run(ctx context.Context, given *options, stdin io.Reader, stdout, stderr io.Writer) error {
	network, err := given.network()
	if err != nil {
		return err
	}
	logger, err := logging.New(stderr, given.log)
	if err != nil {
		return exit.Usagef("%w", err)
	}
	folder, err := newFolder(given, stdin, stderr)
	if err != nil {
		return err
	}
	defer folder.close()
	// What is wrong at the start is the user's to mend before anything listens.
	if err := folder.check(cmp.Or(given.externalURL, "http://localhost")); err != nil {
		return err
	}
	if given.store == dataplane.Memory {
		_, _ = fmt.Fprintln(stderr, "The store is in memory and not durable: events that are not delivered when "+
			"postern dev ends are lost. --store redis://… or unix:///… keeps them.")
	}
	journal := newJournal(stdout, *given.format, output.IsTerminal(stdout))
	defer journal.close()
	repeat := newAgain(given, journal, stdin, stderr)
	var base atomic.Pointer[string]
	return dataplane.Run(ctx, dataplane.Options{
		Listen:      given.listen,
		Internal:    given.internal,
		Store:       dataplane.StoreOptions{URL: given.store, AllowWeakDurability: true},
		Network:     network,
		Source:      folder.source(&base),
		Observe:     journal.answered,
		Deliveries:  journal,
		Loaded:      folder.announce(network, &base),
		GracePeriod: gracePeriod,
		Logger:      logger,
	}, func(running *server.Server) {
		url := cmp.Or(given.externalURL, localURL(running.Addr()))
		base.Store(&url)
		tellAddresses(stderr, running)
		repeat.start(ctx, running)
	})
}

func tellAddresses(stderr io.Writer, running *server.Server) {
	_, _ = fmt.Fprintf(stderr, "Listening on %s; events and metrics on %s\n",
		localURL(running.Addr()), localURL(running.InternalAddr()))
}
