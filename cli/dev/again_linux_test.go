package dev_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/postern-dev/postern/cli"
	"github.com/postern-dev/postern/cli/clitest"
	"github.com/postern-dev/postern/cli/exit"
)

// terminal opens a pseudo-terminal: what is typed at keys is read from the other.
func terminal(t *testing.T) (keys, tty *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	if err := unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return keys, tty
}

func TestEnterDeliversTheLastEventAgain(t *testing.T) {
	t.Parallel()
	served := newTarget(t, http.StatusOK)
	folder := t.TempDir()
	clitest.WriteFile(t, folder, "endpoint.yaml", endpoint)
	clitest.WriteFile(t, folder, "secret.yaml", fmt.Sprintf(secret, "first"))
	keys, tty := terminal(t)
	out, said := clitest.NewLines(), clitest.NewLines()
	stop := clitest.Start(t, cli.Streams{In: tty, Out: out, Err: said},
		"dev", "-f", folder, "--forward-to", served.URL, "--listen", "127.0.0.1:0", "--internal", "127.0.0.1:0")
	url := strings.TrimSuffix(strings.Fields(said.Await(t, "Listening on "))[2], ";")
	said.Await(t, "Press Enter")
	said.Await(t, "ci/github (github)")

	press := func() {
		t.Helper()
		if _, err := keys.WriteString("\n"); err != nil {
			t.Fatal(err)
		}
	}
	press()
	said.Await(t, "Not delivered again: no event was accepted yet")
	sent := clitest.Run(t, "send", "github", "--url", url+"/ci/github",
		"--secret-file", clitest.WriteFile(t, t.TempDir(), "key", "first"))
	if sent.Status != exit.OK {
		t.Fatalf("sending: %+v", sent)
	}
	first := <-served.arrived
	out.Await(t, "builder 200")
	press()
	second := <-served.arrived
	if second.Header.Get("Postern-Replay") != "true" ||
		second.Header.Get("Postern-Event-Id") != first.Header.Get("Postern-Event-Id") {
		t.Errorf("after Enter the target got %v", second.Header)
	}
	if status := stop(); status != exit.OK {
		t.Errorf("status at the end is %d", status)
	}
}
