package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli"
	"github.com/postern-dev/postern/cli/clitest"
	"github.com/postern-dev/postern/cli/exit"
)

func TestExitStatuses(t *testing.T) {
	t.Parallel()
	for line, status := range map[string]int{
		"":                     exit.OK,
		"--help":               exit.OK,
		"version":              exit.OK,
		"version -o json":      exit.OK,
		"providers --help":     exit.OK,
		"completion bash":      exit.OK,
		"nonsense":             exit.Usage,
		"--nonsense":           exit.Usage,
		"version extra":        exit.Usage,
		"version -o xml":       exit.Usage,
		"completion nonsense":  exit.Usage,
		"help nonsense":        exit.OK,
		"events nonsense":      exit.Usage,
		"receiver extra":       exit.Usage,
		"manager --nonsense":   exit.Usage,
		"verify --at tomorrow": exit.Usage,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			got := clitest.Run(t, strings.Fields(line)...)
			if got.Status != status {
				t.Errorf("status %d, standard error %q; want status %d", got.Status, got.Stderr, status)
			}
			if status == exit.Usage && (!strings.HasPrefix(got.Stderr, "Error: ") || got.Stdout != "") {
				t.Errorf("output %q, standard error %q; want one error", got.Stdout, got.Stderr)
			}
		})
	}
}

func TestWrongFlagsAreNamed(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"receiver --namespace=":                              "--namespace",
		"receiver --store=":                                  "--store",
		"receiver --store memory":                            "--allow-weak-durability",
		"receiver --trusted-proxies 10.0.0.0/33":             "--trusted-proxies",
		"receiver --forward builder=http://a":                "--forward",
		"receiver --forward ci/builder=a":                    "--forward",
		"receiver --grace-period-seconds 5":                  "--grace-period-seconds",
		"receiver --shutdown-delay-seconds -1":               "--shutdown-delay-seconds",
		"receiver --log-level loud":                          "--log-level",
		"manager --namespace Not_A_Namespace":                "--namespace",
		"manager --receiver-url 127.0.0.1:8081":              "--receiver-url",
		"manager --log-format xml":                           "--log-format",
		"manager --watch-namespaces one,two,three/four,five": "--watch-namespaces",
	} {
		got := clitest.Run(t, strings.Fields(line)...)
		if got.Status != exit.Usage || !strings.Contains(got.Stderr, want) {
			t.Errorf("%s: status %d, standard error %q; want status 2 and %s", line, got.Status, got.Stderr, want)
		}
	}
}

func TestFlagsComeFromTheEnvironment(t *testing.T) {
	t.Setenv("POSTERN_TRUSTED_PROXIES", "10.0.0.0/8, 300.0.0.1")
	got := clitest.Run(t, "receiver")
	if got.Status != exit.Usage || !strings.Contains(got.Stderr, "300.0.0.1") {
		t.Errorf("status %d, standard error %q; want an error about the variable's value", got.Status, got.Stderr)
	}
	t.Setenv("POSTERN_GRACE_PERIOD_SECONDS", "soon")
	got = clitest.Run(t, "receiver")
	if got.Status != exit.Usage || !strings.Contains(got.Stderr, "POSTERN_GRACE_PERIOD_SECONDS") {
		t.Errorf("status %d, standard error %q; want an error that names the variable", got.Status, got.Stderr)
	}
}

func TestKubectlPlugin(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"/usr/local/bin/kubectl-postern": "kubectl postern events list",
		"kubectl-postern.exe":            "kubectl postern events list",
		"./postern":                      "  postern events list",
	} {
		var out bytes.Buffer
		status := cli.Main(t.Context(), []string{name, "events", "list", "--help"}, cli.Streams{Out: &out, Err: &out})
		if status != exit.OK || !strings.Contains(out.String(), want) {
			t.Errorf("called as %s the help is\n%s\nwant %q in it", name, out.String(), want)
		}
	}
}

// TestHelpTexts holds every command to the same form.
func TestHelpTexts(t *testing.T) {
	t.Parallel()
	visit(cli.Root("postern"), func(command *cobra.Command) {
		path := command.CommandPath()
		if command.Short == "" || strings.HasSuffix(command.Short, ".") {
			t.Errorf("%s: short text %q must be a phrase without a full stop", path, command.Short)
		}
		if command.Runnable() && command.HasParent() && command.Example == "" && command.Name() != "version" {
			t.Errorf("%s has no example", path)
		}
		for text := range strings.Lines(command.Long + "\n" + command.Example) {
			if len([]rune(strings.TrimRight(text, "\n"))) > 112 {
				t.Errorf("%s: line %q is too wide for terminals", path, text)
			}
		}
	})
}

func visit(command *cobra.Command, see func(*cobra.Command)) {
	see(command)
	for _, child := range command.Commands() {
		if child.IsAvailableCommand() {
			visit(child, see)
		}
	}
}
