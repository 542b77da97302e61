package chart_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/postern-dev/postern/cli"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/test/wait"
)

// cluster is an API server that has never heard of Postern.
type cluster struct {
	environment *envtest.Environment
	client      client.Client
	kubeconfig  string
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: this test needs kube-apiserver and etcd; run `make test`, which brings them")
	}
	environment := &envtest.Environment{ControlPlaneStartTimeout: wait.Patience}
	environment.ControlPlane.GetAPIServer().Configure().
		Append("enable-admission-plugins", "OwnerReferencesPermissionEnforcement")
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(err)
		}
	})
	config, err := environment.Start()
	if err != nil {
		t.Fatalf("start API server: %v", err)
	}
	config.QPS = -1
	scheme, err := controllers.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{environment: environment, client: api}
	c.kubeconfig = c.as(t, envtest.User{Name: "admin", Groups: []string{"system:masters"}})
	return c
}

// as writes a kubeconfig for a user.
func (c *cluster) as(t *testing.T, user envtest.User) string {
	t.Helper()
	added, err := c.environment.AddUser(user, rest.CopyConfig(c.environment.Config))
	if err != nil {
		t.Fatal(err)
	}
	data, err := added.KubeConfig()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (c *cluster) helm(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := run(t, c.kubeconfig, append(arguments, "--namespace", namespace)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c *cluster) create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := c.client.Create(t.Context(), object); err != nil {
			t.Fatalf("create %T %s: %v", object, client.ObjectKeyFromObject(object), err)
		}
	}
}

func (c *cluster) createNamespaces(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		c.create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
}

// manager runs the manager as its Deployment describes it, under the account
// of its ServiceAccount and so with the permissions of the chart alone, until
// the returned function is called.
func (c *cluster) manager(t *testing.T, manifests string) (stop func()) {
	t.Helper()
	given := arguments(t, find(t, objects(t, manifests), "Deployment", "postern-manager"))
	kubeconfig := c.as(t, envtest.User{Name: "system:serviceaccount:" + namespace + ":postern-manager"})
	// There are no pods, so nobody else uses the ports and nobody asks the image.
	given = append(given, "--kubeconfig="+kubeconfig, "--image=postern:test",
		"--health-probe-bind-address=0", "--metrics-bind-address=0")
	// This program, as main below runs it: one process can hold one manager.
	command := exec.Command(os.Args[0], given...)
	command.Env = append(os.Environ(), beManager+"=1")
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			t.Errorf("the manager: %v", err)
		}
		if t.Failed() {
			t.Logf("the manager's log:\n%s", log.String())
		}
	}
}

// beManager makes the tests' own program the postern program.
const beManager = "POSTERN_TEST_BE_MANAGER"

func TestMain(m *testing.M) {
	if os.Getenv(beManager) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	status := cli.Main(ctx, append([]string{"postern"}, os.Args[1:]...), cli.Streams{Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(status)
}

// absent turns the answer to a get into an error unless it is "not found".
func absent(err error) error {
	if err == nil {
		return errors.New("it exists")
	}
	return client.IgnoreNotFound(fmt.Errorf("%w", err))
}
