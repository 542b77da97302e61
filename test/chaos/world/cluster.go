package world

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/postern-dev/postern/test/chaos/proxy"
	"github.com/postern-dev/postern/test/freeport"
	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
)

const (
	// SystemNamespace is where Postern is installed.
	SystemNamespace = "postern-system"
	// Patience bounds every wait for something that works: a busy machine must
	// not fail a run that a quiet one passes.
	Patience = 60 * time.Second
)

// ClusterOptions say what the control plane is made of.
type ClusterOptions struct {
	// Assets is a folder with kube-apiserver and etcd.
	Assets string
	// Install are the rendered manifests of the installation.
	Install string
	// Postern is the program under test.
	Postern string
	// Folder keeps logs and kubeconfigs.
	Folder string
}

// Cluster is a control plane with the manager at work.
type Cluster struct {
	ClusterOptions
	plane *local.Plane
	// gate stands before the API server, for manager and receivers.
	gate     *proxy.Proxy
	manager  *local.Process
	internal int // port of the first receiver, which the manager asks what it has loaded
	public   int
	undo     []func()
}

// StartCluster starts API server, etcd and manager.
func StartCluster(ctx context.Context, options ClusterOptions) (*Cluster, error) {
	c := &Cluster{ClusterOptions: options}
	if err := c.start(ctx); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	plane, err := local.StartPlane(c.Assets)
	if err != nil {
		return err
	}
	c.plane = plane
	c.undo = append(c.undo, plane.Stop)
	host, err := url.Parse(plane.Host)
	if err != nil {
		return err
	}
	if c.gate, err = proxy.Listen("tcp", "127.0.0.1:0", host.Host); err != nil {
		return err
	}
	c.undo = append(c.undo, c.gate.Close)
	manifest, err := os.ReadFile(c.Install)
	if err != nil {
		return fmt.Errorf("%w: run `make installer`", err)
	}
	if _, err := plane.Install(ctx, manifest, Patience); err != nil {
		return err
	}
	for _, port := range []*int{&c.public, &c.internal} {
		if *port, err = freeport.Find(); err != nil {
			return err
		}
	}
	if err := c.StartManager(ctx); err != nil {
		return err
	}
	c.undo = append(c.undo, func() { c.manager.Stop() })
	return nil
}

// Stop ends everything, the newest first.
func (c *Cluster) Stop() {
	for len(c.undo) > 0 {
		last := len(c.undo) - 1
		c.undo[last]()
		c.undo = c.undo[:last]
	}
}

// Admin may do everything at the API server.
func (c *Cluster) Admin() client.Client { return c.plane.Admin }

// Apply applies a manifest.
func (c *Cluster) Apply(ctx context.Context, manifest string) error {
	_, err := kube.Apply(ctx, c.plane.Admin, []byte(manifest))
	return err
}

// Isolate takes the API server away from manager and receivers, or gives it back.
func (c *Cluster) Isolate(on bool) {
	c.gate.Refuse(on)
	if on {
		c.gate.Reset()
	}
}

// KillManager ends the manager as kill -9 does.
func (c *Cluster) KillManager() { c.manager.Kill() }

// StartManager starts the manager and waits until it is ready.
func (c *Cluster) StartManager(ctx context.Context) error {
	kubeconfig, err := c.kubeconfig("postern-manager", c.gate)
	if err != nil {
		return err
	}
	probe, err := freeport.Find()
	if err != nil {
		return err
	}
	c.manager, err = local.Start(local.Command{
		Name: "manager", Program: local.Absolute(c.Postern), Dir: c.Folder,
		Log: filepath.Join(c.Folder, "manager.log"),
		Args: []string{
			"manager", "--kubeconfig=" + kubeconfig, "--namespace=" + SystemNamespace, "--image=postern:chaos",
			"--receiver-url=http://" + address(c.internal),
			"--health-probe-bind-address=" + address(probe), "--metrics-bind-address=0",
		},
	})
	if err != nil {
		return err
	}
	return c.manager.Await(ctx, "the manager to be ready", Patience, func(ctx context.Context) error {
		return answersOK(ctx, "http://"+address(probe)+"/readyz")
	})
}

// kubeconfig is the configuration of a ServiceAccount, by way of a gate.
func (c *Cluster) kubeconfig(name string, gate *proxy.Proxy) (string, error) {
	data, err := c.plane.ServiceAccount(SystemNamespace, name)
	if err != nil {
		return "", err
	}
	return c.by(gate, name, data)
}

// by writes a configuration that leads through a gate.
func (c *Cluster) by(gate *proxy.Proxy, name string, data []byte) (string, error) {
	host, err := url.Parse(c.plane.Host)
	if err != nil {
		return "", err
	}
	path := filepath.Join(c.Folder, name+"-"+filepath.Base(gate.Address())+".kubeconfig")
	return path, os.WriteFile(path, []byte(strings.ReplaceAll(string(data), host.Host, gate.Address())), 0o600)
}

// pod is what the manager makes of a WebhookReceiver with this spec, in YAML. It
// waits until the pod has a sidecar, and drains the store, as wanted.
func (c *Cluster) pod(ctx context.Context, spec string, sidecar, drains bool) (corev1.PodSpec, error) {
	manifest := "apiVersion: hooks.postern.dev/v1alpha1\nkind: WebhookReceiver\n" +
		"metadata: {name: default, namespace: " + SystemNamespace + "}\nspec:\n" + spec
	if err := c.Apply(ctx, manifest); err != nil {
		return corev1.PodSpec{}, err
	}
	var deployment appsv1.Deployment
	key := types.NamespacedName{Namespace: SystemNamespace, Name: "postern-receiver"}
	err := kube.Until(ctx, "the receiver's Deployment", Patience, func(ctx context.Context) error {
		if err := c.plane.Admin.Get(ctx, key, &deployment); err != nil {
			return err
		}
		if has := local.Arguments(deployment.Spec.Template.Spec.InitContainers, "store") != nil; has != sidecar {
			return fmt.Errorf("it has a sidecar: %t, want %t", has, sidecar)
		}
		arguments := local.Arguments(deployment.Spec.Template.Spec.Containers, "receiver")
		if has := slices.Contains(arguments, "--drain-store"); has != drains {
			return fmt.Errorf("it drains the store: %t, want %t", has, drains)
		}
		return nil
	})
	return deployment.Spec.Template.Spec, err
}

func address(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
