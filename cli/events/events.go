// Package events is `postern events`: looking at what a receiver has stored,
// sending it again, and giving it up.
//
// It speaks to the receiver's internal listener, whose JSON are the types of
// receiver/queue, directly or through a port-forward.
package events

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/output"
)

// Command is `postern events` with its subcommands.
func Command() *cobra.Command {
	var where connection
	command := &cobra.Command{
		Use:   "events",
		Short: "Look at stored events, replay or discard them",
		Long: `Look at the events that a receiver has stored: pending, delivered and dead, replay
them, and discard dead ones.

Without --internal-url a port is forwarded to a receiver pod with your kubeconfig,
which needs the right to create pods/portforward in the system namespace. ENDPOINT is
namespace/name, or a name in the namespace of -n or of your context.`,
		Example: `  kubectl postern events list ci/github --status dead
  kubectl postern events show ci/github 0f3c2a…
  kubectl postern events replay ci/github 0f3c2a…
  postern events tail --internal-url http://127.0.0.1:8081`,
	}
	where.bind(command.PersistentFlags())
	command.AddCommand(
		listCommand(&where), showCommand(&where), replayCommand(&where), replayDeadCommand(&where), discardCommand(&where),
		tailCommand(&where),
	)
	return command
}

// session is one connected call of a subcommand.
type session struct {
	client    *client
	namespace string
}

// withSession connects, runs and disconnects.
func withSession(ctx context.Context, where *connection, run func(context.Context, *session) error) error {
	address, namespace, disconnect, err := where.open(ctx)
	if err != nil {
		return err
	}
	defer disconnect()
	return run(ctx, &session{client: newClient(address), namespace: namespace})
}

// endpoint completes a name with the namespace.
func (s *session) endpoint(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return s.namespace + "/" + name
}

// endpoints are the named one, or all that the receiver serves.
func (s *session) endpoints(ctx context.Context, arguments []string) ([]string, error) {
	if len(arguments) > 0 {
		return []string{s.endpoint(arguments[0])}, nil
	}
	return s.client.endpoints(ctx)
}

func listCommand(where *connection) *cobra.Command {
	var selected selection
	command := &cobra.Command{
		Use:   "list [ENDPOINT]",
		Short: "List events, latest change first",
		Example: `  postern events list ci/github --status dead --since 24h
  postern events list -o json --internal-url http://127.0.0.1:8081`,
		Args: cobra.MaximumNArgs(1),
	}
	selected.bind(command.Flags(), true)
	format := output.Flag(command.Flags())
	command.RunE = func(command *cobra.Command, arguments []string) error {
		if err := selected.check(); err != nil {
			return err
		}
		return withSession(command.Context(), where, func(ctx context.Context, s *session) error {
			endpoints, err := s.endpoints(ctx, arguments)
			if err != nil {
				return err
			}
			found, err := s.client.list(ctx, endpoints, selected)
			if err != nil {
				return err
			}
			return writeList(command.OutOrStdout(), *format, found)
		})
	}
	return command
}

func showCommand(where *connection) *cobra.Command {
	command := &cobra.Command{
		Use:     "show ENDPOINT ID",
		Short:   "Show one event: headers, body and every attempt",
		Example: `  postern events show ci/github 0f3c2a1be77d4f0c9a5d2c6f1e8b7a90`,
		Args:    cobra.ExactArgs(2),
	}
	format := output.Flag(command.Flags())
	command.RunE = func(command *cobra.Command, arguments []string) error {
		return withSession(command.Context(), where, func(ctx context.Context, s *session) error {
			record, err := s.client.get(ctx, s.endpoint(arguments[0]), arguments[1])
			if err != nil {
				return err
			}
			return writeRecord(command.OutOrStdout(), *format, s.endpoint(arguments[0]), record)
		})
	}
	return command
}

func replayCommand(where *connection) *cobra.Command {
	var targets []string
	command := &cobra.Command{
		Use:   "replay ENDPOINT ID",
		Short: "Deliver one event again",
		Example: `  postern events replay ci/github 0f3c2a1be77d4f0c9a5d2c6f1e8b7a90
  postern events replay ci/github 0f3c2a1be77d4f0c9a5d2c6f1e8b7a90 --target builder`,
		Args: cobra.ExactArgs(2),
	}
	command.Flags().StringArrayVar(&targets, "target", nil, "`NAME` of a target, repeatable (default all of the event)")
	format := output.Flag(command.Flags())
	command.RunE = func(command *cobra.Command, arguments []string) error {
		return withSession(command.Context(), where, func(ctx context.Context, s *session) error {
			count, err := s.client.replay(ctx, s.endpoint(arguments[0]), arguments[1], targets)
			if err != nil {
				return err
			}
			return writeReplayed(command.OutOrStdout(), *format, count, "target")
		})
	}
	return command
}

// usage marks errors of the API that are about the question.
func usage(err error) error { return exit.Usagef("%w", err) }
