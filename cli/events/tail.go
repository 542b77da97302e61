package events

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/output"
)

// overlap is how far each look goes back behind the one before: receivers
// change events a little later than they say.
const overlap = 10 * time.Second

func tailCommand(where *connection) *cobra.Command {
	var interval time.Duration
	command := &cobra.Command{
		Use:   "tail [ENDPOINT]",
		Short: "Follow events as they come in and change",
		Long: `Follow events as they come in and change: a line when an event is received, delivered
or dead. Ends with Ctrl-C.`,
		Example: `  postern events tail ci/github
  postern events tail -o json --internal-url http://127.0.0.1:8081`,
		Args: cobra.MaximumNArgs(1),
	}
	command.Flags().DurationVar(&interval, "interval", time.Second, "how often to look")
	format := output.Flag(command.Flags())
	command.RunE = func(command *cobra.Command, arguments []string) error {
		if interval < 100*time.Millisecond {
			return exit.Usagef("--interval: %s must be at least 100ms", interval)
		}
		return withSession(command.Context(), where, func(ctx context.Context, s *session) error {
			follower := follower{session: s, arguments: arguments, out: command.OutOrStdout(), format: *format}
			return follower.run(ctx, interval)
		})
	}
	return command
}

// follower prints every change once.
type follower struct {
	session   *session
	arguments []string
	out       io.Writer
	format    output.Format
	// seen are the changes printed, by when they were last seen.
	seen map[string]time.Time
}

func (f *follower) run(ctx context.Context, interval time.Duration) error {
	f.seen = map[string]time.Time{}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	since := time.Now()
	for {
		began := time.Now()
		if err := f.look(ctx, since.Add(-overlap)); err != nil {
			if ctx.Err() != nil {
				return nil // that is how it ends
			}
			return err
		}
		since = began
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (f *follower) look(ctx context.Context, since time.Time) error {
	endpoints, err := f.session.endpoints(ctx, f.arguments)
	if err != nil {
		return err
	}
	found, err := f.session.client.list(ctx, endpoints, selection{since: since.UTC().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	slices.Reverse(found)
	for _, event := range found {
		change := event.ID + event.Endpoint + targets(event.Targets)
		_, before := f.seen[change]
		f.seen[change] = time.Now()
		if before {
			continue
		}
		if err := f.print(event); err != nil {
			return err
		}
	}
	for change, at := range f.seen {
		if time.Since(at) > 2*overlap {
			delete(f.seen, change)
		}
	}
	return nil
}

func (f *follower) print(event listed) error {
	if f.format == output.JSON {
		return output.WriteJSONLine(f.out, event)
	}
	_, err := fmt.Fprintln(f.out, strings.Join(row(event), "  "))
	return err
}
