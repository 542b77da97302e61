// Package validate is `postern validate`: everything about manifests that can
// be told without a cluster, with file and line.
//
// It imports manifests and routes, which do the work.
package validate

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/manifests"
	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/cli/routes"
)

// Command is `postern validate`.
func Command() *cobra.Command {
	var files []string
	var namespace string
	command := &cobra.Command{
		Use:   "validate -f PATH...",
		Short: "Check manifests without a cluster",
		Long: `Check WebhookEndpoints and what they refer to without a cluster: schema, validation
rules, providers, options, CEL expressions, and Secrets that are in the files.

Folders are read with everything below them. The exit status is 0 when nothing is
wrong, 1 when something is, and 2 when the files cannot be read.`,
		Example: `  postern validate -f config/
  postern validate -f endpoint.yaml -f secret.yaml -o json
  kustomize build . | postern validate -f -`,
	}
	flags := command.Flags()
	flags.StringArrayVarP(&files, "filename", "f", nil, "`PATH` of a file or folder, - for standard input, repeatable")
	flags.StringVarP(&namespace, "namespace", "n", "default", "`NAMESPACE` of objects that name none")
	format := output.Flag(flags)
	command.RunE = func(command *cobra.Command, more []string) error {
		if files = append(files, more...); len(files) == 0 {
			return exit.Usagef("-f: name at least one file or folder")
		}
		set, err := manifests.Load(files, manifests.Options{Namespace: namespace, Stdin: command.InOrStdin()})
		if err != nil {
			return exit.Usagef("%w", err)
		}
		return report(command.OutOrStdout(), *format, set, routes.Compile(set, routes.Options{}))
	}
	return command
}

// findings is the JSON form of the answer.
type findings struct {
	Valid     bool                `json:"valid"`
	Endpoints int                 `json:"endpoints"`
	Problems  []manifests.Problem `json:"problems"`
	Notes     []manifests.Problem `json:"notes"`
}

func report(out io.Writer, format output.Format, set *manifests.Set, result routes.Result) error {
	valid := len(result.Problems) == 0
	write := writeText
	if format == output.JSON {
		write = func(out io.Writer, found findings) error { return output.WriteJSON(out, found) }
	}
	err := write(out, findings{
		Valid:     valid,
		Endpoints: len(set.Endpoints),
		Problems:  append([]manifests.Problem{}, result.Problems...),
		Notes:     append([]manifests.Problem{}, result.Notes...),
	})
	if err != nil || valid {
		return err
	}
	return exit.Silent(exit.Failure)
}

func writeText(out io.Writer, found findings) error {
	for _, problem := range found.Problems {
		if _, err := fmt.Fprintln(out, problem); err != nil {
			return err
		}
	}
	for _, note := range found.Notes {
		if _, err := fmt.Fprintln(out, "note: "+note.String()); err != nil {
			return err
		}
	}
	summary := fmt.Sprintf("%s: valid", plural(found.Endpoints, "endpoint"))
	if !found.Valid {
		summary = plural(len(found.Problems), "problem")
	}
	_, err := fmt.Fprintln(out, summary)
	return err
}

func plural(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}
