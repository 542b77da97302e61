// Package version tells which build of Postern this is, and is the command
// that prints it.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/output"
)

// Version and Commit are set by the linker in release builds; other builds
// fall back to what the Go toolchain recorded.
var (
	Version string
	Commit  string
)

// Info describes a build.
type Info struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
}

// Current describes the running build.
func Current() Info {
	info := Info{Version: Version, Commit: Commit, Go: runtime.Version()}
	build, found := debug.ReadBuildInfo()
	if !found {
		return info.withDefault()
	}
	if info.Version == "" && build.Main.Version != "(devel)" {
		info.Version = build.Main.Version
	}
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" && info.Commit == "" {
			info.Commit = setting.Value
		}
	}
	return info.withDefault()
}

func (i Info) withDefault() Info {
	if i.Version == "" {
		i.Version = "devel"
	}
	return i
}

// String returns the one-line form.
func (i Info) String() string {
	if i.Commit == "" {
		return fmt.Sprintf("postern %s (%s)", i.Version, i.Go)
	}
	return fmt.Sprintf("postern %s (%s, %s)", i.Version, i.Commit, i.Go)
}

// Command is `postern version`.
func Command() *cobra.Command {
	command := &cobra.Command{
		Use:   "version",
		Short: "Print which build this is",
		Args:  cobra.NoArgs,
	}
	format := output.Flag(command.Flags())
	command.RunE = func(command *cobra.Command, _ []string) error {
		info := Current()
		if *format == output.JSON {
			return output.WriteJSON(command.OutOrStdout(), info)
		}
		_, err := fmt.Fprintln(command.OutOrStdout(), info)
		return err
	}
	return command
}
