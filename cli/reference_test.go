package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli"
	"github.com/postern-dev/postern/cli/clitest"
)

const referenceHead = `# The command line

One binary, ` + "`postern`" + `: the tools below for people, and the two processes that run in a cluster.
Installed as ` + "`kubectl-postern`" + ` on the PATH it is the kubectl plugin ` + "`kubectl postern`" + `.

Exit status: 0 for success, 1 when the answer is no (rejected, invalid, failed), 2 when the question was wrong.
Answers are text for people and, with ` + "`-o json`" + `, JSON for programs; everything else goes to standard error.
Shell completion: ` + "`postern completion --help`" + `.

This page is generated from the commands themselves: ` + "`go test ./cli -run TestReference -update`" + `.
`

// TestReference keeps docs/cli.md equal to what the commands say of themselves.
func TestReference(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString(referenceHead)
	visit(cli.Root("postern"), func(command *cobra.Command) {
		if command.HasParent() && !strings.HasPrefix(command.CommandPath(), "postern completion") {
			describe(&page, command)
		}
	})
	clitest.Golden(t, "../docs/cli.md", page.String())
}

func describe(page *strings.Builder, command *cobra.Command) {
	depth := strings.Count(command.CommandPath(), " ")
	fmt.Fprintf(page, "\n%s %s\n\n", strings.Repeat("#", depth+1), command.CommandPath())
	text := command.Long
	if text == "" {
		text = command.Short + "."
	}
	page.WriteString(text + "\n")
	block := func(title, content string) {
		if content = strings.Trim(content, "\n"); content != "" {
			fmt.Fprintf(page, "\n%s\n```text\n%s\n```\n", title, content)
		}
	}
	if command.HasParent() && command.Runnable() {
		fmt.Fprintf(page, "\n```text\n%s\n```\n", command.UseLine())
	}
	block("Examples:\n", command.Example)
	block("Flags:\n", command.NonInheritedFlags().FlagUsages())
}
