package events

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/receiver/queue"
)

// replaysAtOnce is how many events are replayed at a time.
const replaysAtOnce = 8

func replayDeadCommand(where *connection) *cobra.Command {
	var selected selection
	var dryRun bool
	command := &cobra.Command{
		Use:   "replay-dead ENDPOINT",
		Short: "Deliver the dead letters of an endpoint again",
		Long: `Deliver the dead letters of an endpoint again: those that there are when the command
begins, one after the other as fast as the receiver takes them. The targets' own limits
hold. Interrupted, it leaves the rest as it is.

A WebhookReplay does the same in the cluster, for tenants, at a rate, without a
port-forward.`,
		Example: `  postern events replay-dead ci/github --dry-run
  postern events replay-dead ci/github --target builder --type 'pull_request.*' --since 2h`,
		Args: cobra.ExactArgs(1),
	}
	selected.bind(command.Flags(), false)
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only list the dead letters that would be replayed")
	format := output.Flag(command.Flags())
	command.RunE = func(command *cobra.Command, arguments []string) error {
		if err := selected.check(); err != nil {
			return err
		}
		selected.status = string(queue.StatusDead)
		return withSession(command.Context(), where, func(ctx context.Context, s *session) error {
			endpoint := s.endpoint(arguments[0])
			found, err := s.client.list(ctx, []string{endpoint}, selected)
			if err != nil {
				return err
			}
			if dryRun {
				return writeList(command.OutOrStdout(), *format, found)
			}
			bar := newProgress(command.ErrOrStderr(), len(found))
			count, left, err := s.client.replayAll(ctx, found, selected.target, bar.step)
			bar.end()
			if left > 0 {
				_, _ = fmt.Fprintf(command.ErrOrStderr(),
					"%s left as it is: the endpoint no longer has a target of it.\n", plural(left, "dead letter"))
			}
			if err != nil {
				return fmt.Errorf("%d of %d dead letters were replayed: %w", count, len(found), err)
			}
			return writeReplayed(command.OutOrStdout(), *format, count, "dead letter")
		})
	}
	return command
}

// replayAll replays events at the targets where they are dead, at one only if
// it is named. It returns how many are due again, and how many are left because
// the endpoint no longer has a target of theirs.
func (c *client) replayAll(
	ctx context.Context, found []listed, target string, done func(),
) (replayed, left int, err error) {
	var count, unreachable atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(replaysAtOnce)
	for _, event := range found {
		group.Go(func() error {
			var targets []string
			for _, state := range event.Targets {
				if state.Status == queue.StatusDead && (target == "" || target == state.Target) {
					targets = append(targets, state.Target)
				}
			}
			due, err := c.replay(ctx, event.Endpoint, event.ID, targets)
			if errors.Is(err, errNoTarget) {
				unreachable.Add(1)
				err = nil
			}
			if err != nil {
				return fmt.Errorf("event %s: %w", event.ID, err)
			}
			if due > 0 {
				count.Add(1)
			}
			done()
			return nil
		})
	}
	err = group.Wait()
	return int(count.Load()), int(unreachable.Load()), err
}

// progress is a line on a terminal that counts; elsewhere it says nothing.
type progress struct {
	out   io.Writer
	total int

	mu   sync.Mutex
	done int
}

func newProgress(out io.Writer, total int) *progress {
	if !output.IsTerminal(out) {
		out = io.Discard
	}
	return &progress{out: out, total: total}
}

func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	const width = 30
	filled := width * p.done / p.total
	_, _ = fmt.Fprintf(p.out, "\r[%-*s] %d of %d", width, bar[:filled], p.done, p.total)
}

const bar = "=============================="

func (p *progress) end() {
	if p.total > 0 {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K")
	}
}
