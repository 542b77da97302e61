// Package providers is `postern providers`: the built-in providers as a table,
// and how to set each of them up.
//
// It imports receiver/verify for the table.
package providers

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
)

// Command is `postern providers`.
func Command() *cobra.Command {
	command := &cobra.Command{
		Use:   "providers [NAME]",
		Short: "List the built-in providers, or show how to set one up",
		Example: `  postern providers
  postern providers stripe
  postern providers -o json`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return Names(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	format := output.Flag(command.Flags())
	command.RunE = func(command *cobra.Command, arguments []string) error {
		if len(arguments) == 0 {
			return list(command.OutOrStdout(), *format)
		}
		return show(command.OutOrStdout(), *format, arguments[0])
	}
	return command
}

// Names lists the providers with their display names, for shell completion.
func Names() []string {
	var names []string
	for _, preset := range verify.Presets() {
		names = append(names, preset.Name+"\t"+preset.DisplayName)
	}
	return names
}

// described is a preset as programs read it: durations with the unit in the name.
type described struct {
	verify.Preset
	Retries                retries `json:"retries"`
	AckLimitSeconds        int64   `json:"ackLimitSeconds,omitempty"`
	ToleranceSeconds       int64   `json:"toleranceSeconds,omitempty"`
	FutureToleranceSeconds int64   `json:"futureToleranceSeconds,omitempty"`

	// These hide the fields of the same JSON name.
	AckLimit        struct{} `json:"ackLimit,omitzero"`
	Tolerance       struct{} `json:"tolerance,omitzero"`
	FutureTolerance struct{} `json:"futureTolerance,omitzero"`
}

// retries give the duration as people and as programs read it.
type retries struct {
	By         verify.RetriedBy  `json:"by"`
	For        string            `json:"for,omitempty"`
	ForSeconds int64             `json:"forSeconds,omitempty"`
	Bytes      verify.RetryBytes `json:"bytes"`
}

func describeRetries(r verify.Retries) retries {
	return retries{By: r.By, For: duration(r.For), ForSeconds: int64(r.For / time.Second), Bytes: r.Bytes}
}

func describe(preset verify.Preset) described {
	return described{
		Preset:                 preset,
		Retries:                describeRetries(preset.Retries),
		AckLimitSeconds:        int64(preset.AckLimit / time.Second),
		ToleranceSeconds:       int64(preset.Tolerance / time.Second),
		FutureToleranceSeconds: int64(preset.FutureTolerance / time.Second),
	}
}

func list(out io.Writer, format output.Format) error {
	presets := verify.Presets()
	if format == output.JSON {
		all := make([]described, len(presets))
		for i, preset := range presets {
			all[i] = describe(preset)
		}
		return output.WriteJSON(out, all)
	}
	rows := make([][]string, len(presets))
	for i, preset := range presets {
		rows[i] = []string{
			preset.Name, preset.DisplayName, string(preset.Class), orDash(strings.Join(preset.Headers, ", ")),
			yesNo(preset.DeliveryID != ""), string(preset.Secret), yesNo(preset.Handshake != ""),
		}
	}
	return output.WriteTable(out,
		[]string{"NAME", "PROVIDER", "PROOF", "HEADERS", "DELIVERY ID", "SECRET", "HANDSHAKE"}, rows)
}

func show(out io.Writer, format output.Format, name string) error {
	preset, found := verify.Lookup(name)
	if !found {
		return exit.Usagef("%w", Unknown(name))
	}
	if format == output.JSON {
		return output.WriteJSON(out, describe(preset))
	}
	_, err := io.WriteString(out, page(&preset))
	return err
}

// Unknown is the error for a provider that is not built in; it names close ones.
func Unknown(name string) error {
	err := verify.Check(route.Source{Provider: name})
	return errors.New(strings.TrimPrefix(err.Error(), "source.provider: "))
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
