package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postern-dev/postern/test/freeport"
	"github.com/postern-dev/postern/test/kube"
)

// SystemNamespace is where the manifests of an installation put Postern.
const SystemNamespace = "postern-system"

// Options say what is installed.
type Options struct {
	// Postern is the binary, Manifest the rendered installation, Assets the folder
	// of kube-apiserver, etcd and kubectl.
	Postern  string
	Manifest []byte
	Assets   string
	// Receiver is the manifest of the WebhookReceiver named default.
	Receiver string
	// ManagerArgs and ReceiverArgs are added.
	ManagerArgs  []string
	ReceiverArgs []string
	// Patience bounds every wait.
	Patience time.Duration
}

// Installation is Postern on this machine: a control plane, the manager and the
// receiver under the identities that they have in a cluster, and the store with
// the sidecar's arguments.
type Installation struct {
	Plane *Plane
	// Public, Internal and Metrics are the URLs of the receiver's two ports and of
	// the manager's metrics.
	Public, Internal, Metrics string
	Manager, Receiver, Store  *Process

	options                   Options
	folder                    string
	managerArgs, receiverArgs []string
	undo                      []func()
}

// Install starts everything and waits until the receiver is ready. Stop it also
// after an error, if there is an Installation.
func Install(ctx context.Context, options Options) (*Installation, error) {
	folder, err := os.MkdirTemp("", "postern-local-")
	if err != nil {
		return nil, err
	}
	i := &Installation{options: options, folder: folder}
	i.undo = append(i.undo, func() { os.RemoveAll(folder) })
	for _, step := range []func(context.Context) error{i.startPlane, i.startManager, i.startReceiver} {
		if err := step(ctx); err != nil {
			return i, err
		}
	}
	return i, nil
}

// Stop ends everything, the newest first, and leaves nothing behind.
func (i *Installation) Stop() {
	for last := len(i.undo) - 1; last >= 0; last-- {
		i.undo[last]()
	}
	i.undo = nil
}

// Path is a path in the installation's folder: <process>.log, run, data.
func (i *Installation) Path(names ...string) string {
	return filepath.Join(append([]string{i.folder}, names...)...)
}

// Log returns what a process has written: manager, receiver or redis.
func (i *Installation) Log(name string) (string, error) {
	data, err := os.ReadFile(i.Path(name + ".log"))
	return string(data), err
}

// RestartManager ends the manager and starts another.
func (i *Installation) RestartManager() error {
	i.Manager.Stop()
	var err error
	i.Manager, err = i.start("manager", Absolute(i.options.Postern), i.managerArgs...)
	return err
}

// RestartReceiver ends the receiver and waits until another is ready.
func (i *Installation) RestartReceiver(ctx context.Context) error {
	i.Receiver.Stop()
	return i.runReceiver(ctx)
}

func (i *Installation) startPlane(ctx context.Context) error {
	var err error
	if i.Plane, err = StartPlane(i.options.Assets); err != nil {
		return err
	}
	i.undo = append(i.undo, i.Plane.Stop)
	_, err = i.Plane.Install(ctx, i.options.Manifest, i.options.Patience)
	return err
}

func (i *Installation) startManager(ctx context.Context) error {
	kubeconfig, err := i.serviceAccount("postern-manager")
	if err != nil {
		return err
	}
	addresses := make([]string, 4)
	for n := range addresses {
		port, err := freeport.Find()
		if err != nil {
			return err
		}
		addresses[n] = "127.0.0.1:" + strconv.Itoa(port)
	}
	i.Public, i.Internal, i.Metrics = "http://"+addresses[0], "http://"+addresses[1], "http://"+addresses[3]
	i.managerArgs = append([]string{
		"manager", "--kubeconfig=" + kubeconfig, "--namespace=" + SystemNamespace, "--receiver-url=" + i.Internal,
		"--image=postern:local", "--health-probe-bind-address=" + addresses[2],
		"--metrics-bind-address=" + addresses[3], "--metrics-secure=false",
	}, i.options.ManagerArgs...)
	if i.Manager, err = i.start("manager", Absolute(i.options.Postern), i.managerArgs...); err != nil {
		return err
	}
	return i.awaitOK(ctx, i.Manager, "http://"+addresses[2]+"/readyz")
}

// startReceiver starts the containers that the manager asks for as processes.
func (i *Installation) startReceiver(ctx context.Context) error {
	if _, err := kube.Apply(ctx, i.Plane.Admin, []byte(i.options.Receiver)); err != nil {
		return err
	}
	var deployment appsv1.Deployment
	key := types.NamespacedName{Namespace: SystemNamespace, Name: "postern-receiver"}
	err := kube.Until(ctx, "the receiver's Deployment", i.options.Patience, func(ctx context.Context) error {
		return i.Plane.Admin.Get(ctx, key, &deployment)
	})
	if err != nil {
		return err
	}
	pod := deployment.Spec.Template.Spec
	store := Arguments(pod.InitContainers, "store")
	if len(store) == 0 {
		return errors.New("the receiver's Deployment has no store container")
	}
	if err := i.startStore(ctx, store); err != nil {
		return err
	}
	kubeconfig, err := i.serviceAccount("postern-receiver")
	if err != nil {
		return err
	}
	i.receiverArgs = append(i.relocated(Arguments(pod.Containers, "receiver")), "--kubeconfig="+kubeconfig,
		"--listen="+strings.TrimPrefix(i.Public, "http://"), "--internal="+strings.TrimPrefix(i.Internal, "http://"))
	i.receiverArgs = append(i.receiverArgs, i.options.ReceiverArgs...)
	return i.runReceiver(ctx)
}

func (i *Installation) runReceiver(ctx context.Context) error {
	var err error
	if i.Receiver, err = i.start("receiver", Absolute(i.options.Postern), i.receiverArgs...); err != nil {
		return err
	}
	return i.awaitOK(ctx, i.Receiver, i.Internal+"/readyz")
}

func (i *Installation) startStore(ctx context.Context, arguments []string) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return err
	}
	for _, folder := range []string{"run", "data"} {
		if err := os.MkdirAll(i.Path(folder), 0o700); err != nil {
			return err
		}
	}
	if i.Store, err = i.start("redis", program, i.relocated(arguments)...); err != nil {
		return err
	}
	return i.Store.Await(ctx, "Redis to open its socket", i.options.Patience, func(context.Context) error {
		_, err := os.Stat(i.Path("run", "redis.sock"))
		return err
	})
}

// relocated replaces a pod's folders by those of the installation.
func (i *Installation) relocated(arguments []string) []string {
	return Relocate(arguments, "/run/postern", i.Path("run"), "/data", i.Path("data"))
}

// serviceAccount writes the configuration that a process has in a cluster.
func (i *Installation) serviceAccount(name string) (string, error) {
	data, err := i.Plane.ServiceAccount(SystemNamespace, name)
	if err != nil {
		return "", err
	}
	file := i.Path(name + ".kubeconfig")
	return file, os.WriteFile(file, data, 0o600)
}

// start runs a program with a log in the folder until the installation is stopped.
func (i *Installation) start(name, program string, arguments ...string) (*Process, error) {
	p, err := Start(Command{Name: name, Program: program, Args: arguments, Dir: i.folder, Log: i.Path(name + ".log")})
	if err == nil {
		i.undo = append(i.undo, p.Stop)
	}
	return p, err
}

// awaitOK waits until a URL answers 200, as long as its process lives.
func (i *Installation) awaitOK(ctx context.Context, p *Process, url string) error {
	return p.Await(ctx, p.Name+" to be ready", i.options.Patience, func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := (&http.Client{}).Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s answers %d %s", url, response.StatusCode, body)
		}
		return err
	})
}
