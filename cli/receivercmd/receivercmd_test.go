package receivercmd_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/receivercmd"
)

func execute(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	command := receivercmd.Command()
	var out bytes.Buffer
	command.SetArgs(arguments)
	command.SetOut(&out)
	command.SetErr(&out)
	command.SilenceUsage, command.SilenceErrors = true, true
	err := command.ExecuteContext(t.Context())
	return out.String(), err
}

// A container that is started with a wrong flag ends with the status that says so.
func TestFlagsThatAreWrong(t *testing.T) {
	const kubeconfig = `{"clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
		"contexts": [{"name": "a", "context": {"cluster": "a"}}], "current-context": "a"}`
	file := t.TempDir() + "/kubeconfig"
	write(t, file, kubeconfig)
	for flag, want := range map[string]string{
		"--store=nonsense":           "--store",
		"--store=redis://":           "--store",
		"--store=":                   "--store",
		"--grace-period-seconds=1":   "--grace-period-seconds",
		"--trusted-proxies=anywhere": "--trusted-proxies",
		"--log-level=loud":           "--log-level",
	} {
		t.Run(flag, func(t *testing.T) {
			_, err := execute(t, flag, "--kubeconfig="+file)
			if exit.Status(err) != exit.Usage || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v with status %d, want a usage error that names %s", err, exit.Status(err), want)
			}
		})
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status     int
		body, want string
		code       int
	}{
		"ready":     {http.StatusOK, `{"status":"ready"}`, "the receiver is ready", exit.OK},
		"not ready": {http.StatusServiceUnavailable, `{"reasons":["store: away"]}`, "store: away", exit.Failure},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/readyz" {
					t.Errorf("asked %s", r.URL.Path)
				}
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer server.Close()
			out, err := execute(t, "ready", "--internal-url", server.URL)
			if err != nil {
				out += err.Error()
			}
			if exit.Status(err) != test.code || !strings.Contains(out, test.want) {
				t.Errorf("status %d, %q; want %d, %q", exit.Status(err), out, test.code, test.want)
			}
		})
	}
}

func TestReadyOfNobody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if _, err := execute(t, "ready", "--internal-url", server.URL); exit.Status(err) != exit.Failure {
		t.Errorf("got %v, want a failure", err)
	}
	if _, err := execute(t, "ready", "--internal-url", "nonsense"); exit.Status(err) != exit.Usage {
		t.Errorf("got %v, want a usage error", err)
	}
}

func TestWaitForVolume(t *testing.T) {
	t.Parallel()
	if out, err := execute(t, "wait-for-volume", t.TempDir()); err != nil || out != "" {
		t.Errorf("a volume that nobody has: %v, %q", err, out)
	}
	if _, err := execute(t, "wait-for-volume", t.TempDir()+"/none"); exit.Status(err) != exit.Failure {
		t.Errorf("a volume that is not there: %v", err)
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
