package managercmd_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/managercmd"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/test/freeport"
	"github.com/postern-dev/postern/test/wait"
)

func TestFlagsThatAreWrong(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{
		"--namespace=Not_A_Name":   "--namespace",
		"--receiver-url=localhost": "--receiver-url",
		"--log-level=loud":         "--log-level",
	} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			err := execute(t.Context(), &bytes.Buffer{}, flag)
			if exit.Status(err) != exit.Usage || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v with status %d, want a usage error that names %s", err, exit.Status(err), want)
			}
		})
	}
}

// TestManagerBecomesReady runs the command against a real API server, in a pod
// whose image the receivers are to run.
func TestManagerBecomesReady(t *testing.T) {
	if testing.Short() {
		t.Skip("needs an API server")
	}
	scheme, err := controllers.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	cluster, stop, err := controltest.Start(scheme)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	const namespace = "postern-system"
	create(t, cluster, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	create(t, cluster, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "manager-1", Namespace: namespace},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "manager", Image: "example.com/postern:v1"}}},
	})
	t.Setenv("POD_NAME", "manager-1")

	ctx, cancel := context.WithCancel(t.Context())
	probes := freeAddress(t)
	ended := make(chan error, 1)
	logged := &lockedBuffer{}
	go func() {
		ended <- execute(ctx, logged, "--kubeconfig="+cluster.Kubeconfig(t),
			"--health-probe-bind-address="+probes, "--metrics-bind-address=0", "--namespace="+namespace, "--leader-elect")
	}()
	wait.For(t, "the manager is ready", func() error { return ready(ctx, "http://"+probes+"/readyz") })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the manager ended with %v\n%s", err, logged.String())
	}
}

func execute(ctx context.Context, out io.Writer, arguments ...string) error {
	command := managercmd.Command()
	command.SetArgs(arguments)
	command.SetOut(out)
	command.SetErr(out)
	command.SilenceUsage, command.SilenceErrors = true, true
	return command.ExecuteContext(ctx)
}

// lockedBuffer is written by the manager's goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

func ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, wait.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request) //nolint:forbidigo // the test's own loopback request
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", url, response.StatusCode)
	}
	return nil
}

func create(t *testing.T, cluster *controltest.Cluster, object client.Object) {
	t.Helper()
	if err := cluster.Client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
