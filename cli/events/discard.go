package events

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/receiver/queue"
)

func discardCommand(where *connection) *cobra.Command {
	var selected selection
	var yes bool
	command := &cobra.Command{
		Use:   "discard ENDPOINT [ID]",
		Short: "Give up dead letters",
		Long: `Give up dead letters: one event, those that the flags select, or with none of them all
of an endpoint. They are gone from the store; a copy of them is a duplicate until its
window is over. The command asks first, unless --yes is given.`,
		Example: `  postern events discard ci/github 0f3c2a1be77d4f0c9a5d2c6f1e8b7a90
  postern events discard ci/github --target builder --type 'pull_request.*' --yes`,
		Args: cobra.RangeArgs(1, 2),
	}
	selected.bind(command.Flags(), false)
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	format := output.Flag(command.Flags())
	command.RunE = func(command *cobra.Command, arguments []string) error {
		if err := selected.check(); err != nil {
			return err
		}
		if len(arguments) == 2 && (selected.kind != "" || selected.since != "" || selected.limit > 0) {
			return exit.Usagef("with an ID, --type, --since and --limit select nothing: remove them")
		}
		selected.status = string(queue.StatusDead)
		return withSession(command.Context(), where, func(ctx context.Context, s *session) error {
			endpoint := s.endpoint(arguments[0])
			ask := func(what string) error {
				return confirm(command.InOrStdin(), command.ErrOrStderr(), yes, what+" of "+endpoint)
			}
			var count int
			var err error
			if len(arguments) == 2 {
				count, err = s.client.discardOne(ctx, endpoint, arguments[1], selected.target, ask)
			} else {
				count, err = s.client.discardSelected(ctx, endpoint, selected, ask)
			}
			if err != nil {
				return err
			}
			return writeDiscarded(command.OutOrStdout(), *format, count)
		})
	}
	return command
}

// confirm asks a person; without an answer that is yes, nothing is done.
func confirm(in io.Reader, out io.Writer, yes bool, what string) error {
	if yes {
		return nil
	}
	if _, err := fmt.Fprintf(out, "Discard %s? They cannot be brought back. [y/N] ", what); err != nil {
		return err
	}
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && answer == "" {
		_, _ = fmt.Fprintln(out)
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
		return nil
	}
	return exit.Usagef("nothing was discarded: answer y, or add --yes")
}

func (c *client) discardOne(
	ctx context.Context, endpoint, id, target string, ask func(string) error,
) (int, error) {
	if err := ask("event " + id); err != nil {
		return 0, err
	}
	var targets []string
	if target != "" {
		targets = []string{target}
	}
	var answer discarded
	err := c.call(ctx, http.MethodPost, "/events/"+url.PathEscape(id)+"/discard",
		url.Values{"endpoint": {endpoint}}, map[string][]string{"targets": targets}, &answer)
	return min(answer.Discarded, 1), err
}

// discardSelected discards the events that it counted before it asked, and no
// others: what dies meanwhile stays.
func (c *client) discardSelected(
	ctx context.Context, endpoint string, selected selection, ask func(string) error,
) (count int, err error) {
	found, err := c.list(ctx, []string{endpoint}, selected)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	if err := ask(plural(len(found), "dead letter")); err != nil {
		return 0, err
	}
	agreed := func(string) error { return nil }
	for _, event := range found {
		some, err := c.discardOne(ctx, endpoint, event.ID, selected.target, agreed)
		if err != nil {
			return count, fmt.Errorf("%d of %d dead letters were discarded: event %s: %w", count, len(found), event.ID, err)
		}
		count += some
	}
	return count, nil
}

type discarded struct {
	Discarded int `json:"discarded"`
}

func writeDiscarded(out io.Writer, format output.Format, count int) error {
	if format == output.JSON {
		return output.WriteJSON(out, discarded{Discarded: count})
	}
	_, err := fmt.Fprintf(out, "Discarded %s.\n", plural(count, "dead letter"))
	return err
}

func plural(count int, noun string) string {
	if count != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", count, noun)
}
