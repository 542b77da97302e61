package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/dev"
	"github.com/postern-dev/postern/cli/events"
	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/managercmd"
	"github.com/postern-dev/postern/cli/providers"
	"github.com/postern-dev/postern/cli/receivercmd"
	"github.com/postern-dev/postern/cli/send"
	"github.com/postern-dev/postern/cli/validate"
	"github.com/postern-dev/postern/cli/verifycmd"
	"github.com/postern-dev/postern/cli/version"
)

// Streams are what a process reads and writes.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

const (
	groupPeople = "people"
	groupServer = "server"

	pluginName = "kubectl-postern"
)

// Main runs one command line and returns the process's exit status. The first
// argument is the name of the program, as in os.Args.
func Main(ctx context.Context, arguments []string, streams Streams) int {
	root := Root(filepath.Base(arguments[0]))
	root.SetArgs(arguments[1:])
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	// Cobra would add it later, and it keeps the output that it finds now.
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		codeErrors(command)
	}
	err := root.ExecuteContext(ctx)
	if _, coded := errors.AsType[*exit.Error](err); err != nil && !coded {
		err = exit.Usagef("%w", err)
	}
	if message := exit.Message(err); message != "" {
		_, _ = fmt.Fprintln(streams.Err, "Error: "+message)
	}
	return exit.Status(err)
}

// Root is the command tree, under the name the program was called by.
func Root(name string) *cobra.Command {
	root := &cobra.Command{
		Use:   "postern",
		Short: "Inbound webhooks as a Kubernetes resource",
		Long: `Postern receives webhooks for Kubernetes: every event is verified, deduplicated and
stored before it is acknowledged, and delivered to your Services with retries.

Installed as kubectl-postern it is the kubectl plugin "kubectl postern".`,
		SilenceErrors: true,
		SilenceUsage:  true,
		// Without this, an argument that is no command prints the help and succeeds.
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	if strings.TrimSuffix(name, ".exe") == pluginName {
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl postern"}
	}
	root.AddGroup(
		&cobra.Group{ID: groupPeople, Title: "Working with webhooks:"},
		&cobra.Group{ID: groupServer, Title: "Run by the cluster:"},
	)
	addTo(root, groupPeople,
		dev.Command(), validate.Command(), send.Command(), events.Command(), verifycmd.Command(), providers.Command())
	addTo(root, groupServer, managercmd.Command(), receivercmd.Command())
	root.AddCommand(version.Command())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit.Usagef("%w", err) })
	return root
}

func addTo(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, command := range commands {
		command.GroupID = group
		root.AddCommand(command)
	}
}

// codeErrors tells errors of commands, which are failures unless they say
// otherwise, from cobra's own, which are all about how the command was called.
func codeErrors(command *cobra.Command) {
	for _, child := range command.Commands() {
		codeErrors(child)
	}
	if command.RunE == nil && command.HasSubCommands() {
		// Cobra would print the help and succeed whatever the argument is.
		command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
	}
	run, check := command.RunE, command.Args
	if run != nil {
		command.RunE = func(command *cobra.Command, arguments []string) error {
			err := run(command, arguments)
			if _, coded := errors.AsType[*exit.Error](err); err == nil || coded {
				return err
			}
			return &exit.Error{Status: exit.Failure, Err: err}
		}
	}
	if check == nil && command.HasSubCommands() {
		check = cobra.NoArgs
	}
	if check != nil {
		command.Args = func(command *cobra.Command, arguments []string) error {
			if err := check(command, arguments); err != nil {
				return exit.Usagef("%w; see %s --help", err, command.CommandPath())
			}
			return nil
		}
	}
}
