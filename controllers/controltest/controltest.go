// Package controltest starts a real API server for the tests of the
// controllers and gives them a small vocabulary. Tests only.
package controltest

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/config/crd"
	"github.com/postern-dev/postern/test/wait"
)

// Cluster is an API server without nodes: objects are stored, defaulted and
// validated; nothing runs pods.
type Cluster struct {
	Config *rest.Config
	// Client reads and writes without a cache.
	Client client.Client

	environment *envtest.Environment
}

// Start starts an API server with Postern's CRDs. Tests of a package share one;
// stop it at the end.
func Start(scheme *runtime.Scheme) (cluster *Cluster, stop func() error, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, nil, fmt.Errorf("KUBEBUILDER_ASSETS is not set: these tests need kube-apiserver and etcd; " +
			"run `make test`, which brings them")
	}
	definitions, err := postern()
	if err != nil {
		return nil, nil, err
	}
	environment := &envtest.Environment{CRDs: definitions, ControlPlaneStartTimeout: wait.Patience}
	// As strict about owner references as hardened clusters are.
	environment.ControlPlane.GetAPIServer().Configure().
		Append("enable-admission-plugins", "OwnerReferencesPermissionEnforcement")
	config, err := environment.Start()
	if err != nil {
		return nil, nil, fmt.Errorf("start API server: %w", err)
	}
	// Tests poll and run several managers; they are not to wait for a throttle.
	config.QPS = -1
	api, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, nil, fmt.Errorf("connect to API server: %w", err)
	}
	return &Cluster{Config: config, Client: api, environment: environment}, environment.Stop, nil
}

// As returns the cluster as a user without any permission but those that are
// bound to the name.
func (c *Cluster) As(name string) (*Cluster, error) {
	user, err := c.environment.AddUser(envtest.User{Name: name}, rest.CopyConfig(c.Config))
	if err != nil {
		return nil, fmt.Errorf("add user %s: %w", name, err)
	}
	api, err := client.New(user.Config(), client.Options{Scheme: c.Client.Scheme()})
	if err != nil {
		return nil, fmt.Errorf("connect as %s: %w", name, err)
	}
	return &Cluster{Config: user.Config(), Client: api, environment: c.environment}, nil
}

func postern() ([]*apiextensionsv1.CustomResourceDefinition, error) {
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		return nil, err
	}
	var definitions []*apiextensionsv1.CustomResourceDefinition
	for _, file := range files {
		data, err := crd.Bases.ReadFile(file)
		if err != nil {
			return nil, err
		}
		definition := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(data, definition); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		definitions = append(definitions, definition)
	}
	return definitions, nil
}

// InstallGrants installs the ReferenceGrant CRD as the Gateway API ships it.
func (c *Cluster) InstallGrants(ctx context.Context) error {
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		return fmt.Errorf("find the Gateway API's module: %w", err)
	}
	file := filepath.Join(strings.TrimSpace(string(module)),
		"config", "crd", "standard", "gateway.networking.k8s.io_referencegrants.yaml")
	_, err = envtest.InstallCRDs(c.Config, envtest.CRDInstallOptions{Paths: []string{file}, ErrorIfPathMissing: true})
	if err != nil {
		return fmt.Errorf("install %s: %w", file, err)
	}
	return nil
}

var namespaces atomic.Int64

// Namespace creates a namespace that no other test has.
func (c *Cluster) Namespace(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", namespaces.Add(1))
	c.Create(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	return name
}

// Create creates objects.
func (c *Cluster) Create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := c.Client.Create(t.Context(), object); err != nil {
			t.Fatalf("create %T %s: %v", object, client.ObjectKeyFromObject(object), err)
		}
	}
}

// Get reads an object by the name that it carries.
func (c *Cluster) Get(t *testing.T, object client.Object) {
	t.Helper()
	if err := c.Client.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
		t.Fatalf("get %T %s: %v", object, client.ObjectKeyFromObject(object), err)
	}
}

// Change changes an object as somebody with kubectl would, with a merge patch.
func Change[T client.Object](t *testing.T, c *Cluster, object T, change func(T)) {
	t.Helper()
	c.Get(t, object)
	before := object.DeepCopyObject().(client.Object)
	change(object)
	if err := c.Client.Patch(t.Context(), object, client.MergeFrom(before)); err != nil {
		t.Fatalf("patch %T %s: %v", object, client.ObjectKeyFromObject(object), err)
	}
}

// Delete deletes an object.
func (c *Cluster) Delete(t *testing.T, object client.Object) {
	t.Helper()
	if err := c.Client.Delete(t.Context(), object); err != nil {
		t.Fatalf("delete %T %s: %v", object, client.ObjectKeyFromObject(object), err)
	}
}
