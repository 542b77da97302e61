// Package cli is the command line of Postern: the root command and what all
// commands have in common. Each command is a package of its own.
package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/managercmd"
	"github.com/postern-dev/postern/cli/receivercmd"
	"github.com/postern-dev/postern/cli/verifycmd"
	"github.com/postern-dev/postern/cli/version"
)

// Run runs one command and returns the status that the process must end with.
// args begins with the name under which the program was started.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := Command(programName(args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	root.SetArgs(args[min(1, len(args)):])
	err := root.ExecuteContext(ctx)
	if message := exit.Message(err); message != "" {
		_, _ = fmt.Fprintln(errs, "Error:", message)
	}
	return exit.Status(err)
}

// programName is what help texts call the program.
func programName(args []string) string {
	if len(args) > 0 && strings.HasPrefix(filepath.Base(args[0]), "kubectl-") {
		return "kubectl postern"
	}
	return "postern"
}

// Command returns the root command.
func Command(name string) *cobra.Command {
	root := &cobra.Command{
		Use:   "postern",
		Short: "Inbound webhooks as a Kubernetes resource",
		Long: `Postern receives webhooks for a cluster: it verifies every request, keeps it
durably before it answers, and delivers it to Services with retries.`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: name},
		SilenceErrors: true,
		SilenceUsage:  true,
		// A word that is no command is a wrong question, not a failure.
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit.Usagef("%w", err) })
	root.AddCommand(managercmd.Command(), receivercmd.Command(), verifycmd.Command(), version.Command())
	return root
}
