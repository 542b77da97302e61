// Package envflag fills flags that were not given from the environment:
// --trusted-proxies from POSTERN_TRUSTED_PROXIES.
//
// It imports cobra, pflag and exit. Long-running commands use it, because a container is
// often easier to configure by variables than by arguments.
package envflag

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/cli/exit"
)

const prefix = "POSTERN_"

// Name returns the variable that stands for a flag.
func Name(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// PreRun fills the flags of a command before it runs; a variable that is wrong is
// a wrong question.
func PreRun(command *cobra.Command, _ []string) error {
	if err := Fill(command.Flags(), os.LookupEnv); err != nil {
		return exit.Usagef("%w", err)
	}
	return nil
}

// Fill sets every flag of the set that was not given on the command line and
// whose variable is set. Flags that take several values split the variable at commas.
func Fill(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var failure error
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || flag.Name == "help" || failure != nil {
			return
		}
		value, found := lookup(Name(flag.Name))
		if !found {
			return
		}
		if err := set(flags, flag, value); err != nil {
			failure = fmt.Errorf("environment variable %s: %w", Name(flag.Name), err)
		}
	})
	return failure
}

func set(flags *pflag.FlagSet, flag *pflag.Flag, value string) error {
	list, many := flag.Value.(pflag.SliceValue)
	if !many {
		return flags.Set(flag.Name, value)
	}
	var items []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	flag.Changed = true
	return list.Replace(items)
}
