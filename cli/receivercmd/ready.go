package receivercmd

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/input"
)

const (
	// readyTimeout is far beyond what a receiver takes that answers at all.
	readyTimeout = 10 * time.Second
	// maxReasons bounds what is read of an answer, in bytes.
	maxReasons = 64 << 10
)

// readyCommand asks another receiver, for installers that have no other program
// in their image to ask with.
func readyCommand() *cobra.Command {
	var address string
	command := &cobra.Command{
		Use:   "ready --internal-url URL",
		Short: "Ask a receiver whether it is ready",
		Long: `Ask a receiver whether it is ready, and print why it is not.

The exit status is 0 when it is ready and 1 when it is not or does not answer.`,
		Example: `  postern receiver ready --internal-url http://postern-internal.postern-system:8081`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			base, err := input.URL("internal-url", address)
			if err != nil {
				return err
			}
			return askReady(command.Context(), command.OutOrStdout(), base.JoinPath("readyz").String())
		},
	}
	command.Flags().StringVar(&address, "internal-url", "", "internal `URL` of the receiver")
	_ = command.MarkFlagRequired("internal-url")
	return command
}

func askReady(ctx context.Context, out io.Writer, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: readyTimeout}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the receiver does not answer: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReasons))
	if err != nil {
		return fmt.Errorf("the receiver does not finish its answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the receiver is not ready: %s", strings.TrimSpace(string(body)))
	}
	_, err = fmt.Fprintln(out, "the receiver is ready")
	return err
}
