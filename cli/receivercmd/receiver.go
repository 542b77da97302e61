// Package receivercmd is `postern receiver`: it wires the data plane to a
// cluster's routes and to a durable store.
//
// It imports dataplane, cluster and receiver/kube; it decides
// nothing that flags do not say.
package receivercmd

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/cluster"
	"github.com/postern-dev/postern/cli/dataplane"
	"github.com/postern-dev/postern/cli/envflag"
	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/logging"
	"github.com/postern-dev/postern/receiver/kube"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/server"
)

// Command returns the command.
func Command() *cobra.Command {
	options := &Options{}
	command := &cobra.Command{
		Use:   "receiver",
		Short: "Receive, store and deliver webhooks (the data plane)",
		Long: `Receive, verify, store and deliver webhooks.

The receiver serves the routes that the manager writes into its namespace. It is
ready once it has all of them and its store is reachable and durable. Every flag
can also be given as an environment variable: --trusted-proxies as
POSTERN_TRUSTED_PROXIES.`,
		Example: `  postern receiver --store unix:///run/postern/redis.sock --store-user postern
  postern receiver --kubeconfig ~/.kube/config --store redis://127.0.0.1:6379 \
    --forward ci/builder=http://127.0.0.1:3000`,
		Args:    cobra.NoArgs,
		PreRunE: envflag.PreRun,
		RunE: func(command *cobra.Command, _ []string) error {
			return run(command.Context(), options, command.ErrOrStderr())
		},
	}
	options.BindFlags(command.Flags())
	command.AddCommand(readyCommand(), volumeCommand())
	return command
}

func run(ctx context.Context, options *Options, out io.Writer) error {
	settings, err := options.validate()
	if err != nil {
		return exit.Usagef("%w", err)
	}
	level := new(slog.LevelVar)
	options.Logging.Running = level
	logger, err := logging.New(out, options.Logging)
	if err != nil {
		return exit.Usagef("%w", err)
	}
	defer logging.ToggleOnSignal(level, logger)()
	var replays replaySink
	source, err := routes(options, logger, replays.set)
	if err != nil {
		return err
	}
	release, err := options.holdVolume(ctx, logger)
	if err != nil {
		return err
	}
	defer release()
	return dataplane.Run(ctx, dataplane.Options{
		Listen: options.Listen, Internal: options.Internal, TLSCertDir: options.TLSCertDir,
		Store: dataplane.StoreOptions{
			URL: options.Store, User: options.StoreUser, TLSDir: options.StoreTLSDir, DataDir: options.StoreDataDir,
			Exclusive: options.StoreExclusive, Drain: options.DrainStore,
			AllowWeakDurability: options.AllowWeakDurability, AdoptFrom: options.AdoptStoreFrom,
		},
		Network: options.network(settings), Source: source.Run, Current: source.Current,
		TrustedProxies:   settings.trustedProxies,
		MemoryLimitBytes: options.Memory.Apply(logger), MemoryBudgetBytes: options.MemoryBudgetBytes,
		NamespaceRate: options.namespaceRate(), NamespaceBytes: options.NamespaceMaxStoredBytes,
		Tracing:       options.tracing(logger),
		Loaded:        saveMemory,
		ShutdownDelay: settings.shutdownDelay, GracePeriod: settings.gracePeriod, Logger: logger,
		LogLevel: logging.LevelHandler(level, logger),
	}, replays.open)
}

func routes(options *Options, logger *slog.Logger, replays func([]*route.Replay)) (*kube.Source, error) {
	config, err := cluster.Config(options.Kubeconfig)
	if err != nil {
		return nil, err
	}
	return kube.New(kube.Options{
		Config: config, Namespace: options.Namespace, SnapshotDir: options.SnapshotDir, Replays: replays,
		Logger: logger,
	})
}

// replaySink hands replays to the server, which does not exist yet when their
// source is made, but does before the source runs.
type replaySink struct{ server *server.Server }

func (s *replaySink) open(running *server.Server) { s.server = running }

func (s *replaySink) set(replays []*route.Replay) { s.server.SetReplays(replays) }
