package receivercmd

import (
	"context"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/logging"
	"github.com/postern-dev/postern/cli/receivercmd/volume"
)

// volumeCommand is what an init container runs before the store is started.
func volumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "wait-for-volume DIRECTORY",
		Short: "Wait until no other receiver uses the store's directory",
		Long: `Wait until no other receiver uses the store's directory.

A pod that is deleted goes on serving for a while beside the one that replaces it.
On one node both can mount the volume, and two stores on one log would lose what
either of them acknowledged.`,
		Example: `  postern receiver wait-for-volume /data`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			return waitForVolume(command.Context(), arguments[0], command.ErrOrStderr())
		},
	}
}

func waitForVolume(ctx context.Context, directory string, out io.Writer) error {
	logger, err := logging.New(out, logging.Options{Level: "info", Format: logging.FormatAuto})
	if err != nil {
		return exit.Usagef("%w", err)
	}
	release, err := volume.Lock(ctx, directory, logger)
	if err != nil {
		return err
	}
	release()
	return nil
}

// holdVolume holds the directory of a store that is this receiver's alone; the
// returned function gives it back.
func (o *Options) holdVolume(ctx context.Context, logger *slog.Logger) (release func(), err error) {
	if !o.StoreExclusive || o.StoreDataDir == "" {
		return func() {}, nil
	}
	return volume.Lock(ctx, o.StoreDataDir, logger)
}
