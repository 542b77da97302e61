package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/proxy"
	"github.com/postern-dev/postern/test/chaos/shim"
	"github.com/postern-dev/postern/test/freeport"
	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
)

// Topology is where events are kept.
type Topology string

// Topologies.
const (
	// Sidecar is one receiver with a store of its own, with the arguments of the
	// Deployment that the manager makes.
	Sidecar Topology = "sidecar"
	// Ephemeral is Sidecar with a volume that ends with the pod.
	Ephemeral Topology = "ephemeral"
	// External is one store for several receivers.
	External Topology = "external"
	// Sentinel is a primary and a replica, watched by a Sentinel.
	Sentinel Topology = "sentinel"
)

// Options say what a world is made of.
type Options struct {
	Topology Topology
	// Receivers is how many share the store; 1 with Sidecar.
	Receivers int
	// Postern is the program that receivers start with; see [Receiver.Use].
	Postern string
	// Folder keeps the logs; History gets what processes do.
	Folder  string
	History *history.Writer
	// StoreArgs are added to those of redis-server.
	StoreArgs []string
	// ReceiverArgs are added to those of the receiver.
	ReceiverArgs []string
	// Shim is loaded into stores when it is not nil.
	Shim *shim.Library
	// Ahead is how far the shim puts the stores' clocks ahead of the receivers';
	// negative is behind.
	Ahead time.Duration
	// DataDir holds the stores' files; empty means a folder of the run.
	DataDir string
	// Forward has the URL of each namespace/service.
	Forward map[string]string
}

// World is the processes of one scenario.
type World struct {
	Cluster   *Cluster
	Receivers []*Receiver
	Stores    []*Store
	// Sentinels watch over the stores.
	Sentinels []*Unit

	sentinel int // its port
	planes   []*proxy.Proxy
	options  Options
	run      string // short, because sockets have short paths
	http     *http.Client
	versions map[string]int
	mu       sync.Mutex
}

// Receiver is one process under test.
type Receiver struct {
	*Unit
	// Public and Internal are URLs.
	Public, Internal string

	mu      sync.Mutex
	program string
	// plane is its way to the API server.
	plane *proxy.Proxy
	cut   bool
	// arguments and env are those of the process.
	arguments, env []string
}

// Cut takes the API server away from this receiver alone, or gives it back.
func (r *Receiver) Cut(on bool) {
	r.mu.Lock()
	r.cut = on
	r.mu.Unlock()
	r.plane.Refuse(on)
	if on {
		r.plane.Reset()
	}
}

// follows tells whether the receiver can hear of changes.
func (r *Receiver) follows() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.cut
}

// Use names the program from the next start on.
func (r *Receiver) Use(program string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.program = program
}

// Program is the one that the next start runs.
func (r *Receiver) Program() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.program
}

// Start makes a world and waits until it is ready.
func Start(ctx context.Context, cluster *Cluster, options Options) (*World, error) {
	run, err := os.MkdirTemp("", "chaos")
	if err != nil {
		return nil, err
	}
	w := &World{
		Cluster: cluster, options: options, run: run, versions: map[string]int{},
		http: &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	if err := w.start(ctx); err != nil {
		w.Stop()
		return nil, err
	}
	return w, nil
}

func (w *World) start(ctx context.Context) error {
	var err error
	switch w.options.Topology {
	case Sidecar, Ephemeral:
		err = w.startSidecar(ctx)
	case External:
		err = w.startExternal(ctx)
	case Sentinel:
		err = w.startSentinel(ctx)
	default:
		err = fmt.Errorf("no topology is called %q", w.options.Topology)
	}
	return err
}

// receiver makes the n-th receiver from the arguments of a Deployment; the last
// of two equal flags counts.
func (w *World) receiver(n int, arguments, env []string) error {
	public, internal := w.Cluster.public, w.Cluster.internal
	name := "receiver"
	if n > 0 {
		name += strconv.Itoa(n)
		for _, port := range []*int{&public, &internal} {
			var err error
			if *port, err = freeport.Find(); err != nil {
				return err
			}
		}
	}
	plane, err := proxy.Listen("tcp", "127.0.0.1:0", w.Cluster.gate.Address())
	if err != nil {
		return err
	}
	w.planes = append(w.planes, plane)
	kubeconfig, err := w.Cluster.kubeconfig("postern-receiver", plane)
	if err != nil {
		return err
	}
	arguments = slices.Concat(arguments, []string{
		"--listen=" + address(public), "--internal=" + address(internal), "--kubeconfig=" + kubeconfig,
		"--snapshot-dir=" + filepath.Join(w.run, name),
	}, w.options.ReceiverArgs)
	for service, url := range w.options.Forward {
		arguments = append(arguments, "--forward="+service+"="+url)
	}
	r := &Receiver{
		Public: "http://" + address(public), Internal: "http://" + address(internal), program: w.options.Postern,
		plane: plane, arguments: arguments, env: env,
	}
	r.Unit = newUnit(name, w.options.Folder, w.options.History, func() (local.Command, error) {
		return local.Command{Program: local.Absolute(r.Program()), Args: arguments, Env: env}, nil
	}, func(ctx context.Context) error { return answersOK(ctx, r.Internal+"/readyz") })
	w.Receivers = append(w.Receivers, r)
	return nil
}

// Units are all processes.
func (w *World) Units() []*Unit {
	var units []*Unit
	for _, r := range w.Receivers {
		units = append(units, r.Unit)
	}
	for _, s := range w.Stores {
		units = append(units, s.Unit)
	}
	return append(units, w.Sentinels...)
}

// AwaitReady waits until every process answers, but for those that another
// fault keeps from it.
func (w *World) AwaitReady(ctx context.Context) error {
	return kube.Until(ctx, "everything to be ready", Patience, func(ctx context.Context) error {
		for _, u := range w.Units() {
			if err := u.Err(); err != nil {
				return err
			}
			if u.away() {
				continue
			}
			if err := u.ready(ctx); err != nil {
				return fmt.Errorf("%s: %w", u.Name, err)
			}
		}
		return nil
	})
}

// Crashes tells which processes ended although nobody had ended them.
func (w *World) Crashes() []string {
	var all []string
	for _, u := range w.Units() {
		all = append(all, u.Crashes()...)
	}
	return all
}

// Stop ends every process.
func (w *World) Stop() {
	for _, r := range w.Receivers {
		r.close()
	}
	for _, s := range w.Sentinels {
		s.close()
	}
	for _, s := range w.Stores {
		s.close()
	}
	for _, plane := range w.planes {
		plane.Close()
	}
	w.http.CloseIdleConnections()
	_ = os.RemoveAll(w.run)
}

// following are the receivers that can hear of changes.
func (w *World) following() []*Receiver {
	return slices.DeleteFunc(slices.Clone(w.Receivers), func(r *Receiver) bool { return !r.follows() })
}

// Put applies an endpoint as it is, waits until it is in force and writes that
// down. It may be called for the same endpoint again.
func (w *World) Put(ctx context.Context, e *Endpoint) error {
	began := history.Now()
	for _, manifest := range []string{e.Surroundings(), e.Secret(), e.Manifest()} {
		if err := w.Cluster.Apply(ctx, manifest); err != nil {
			return err
		}
	}
	object := kube.Object("hooks.postern.dev/v1alpha1", "WebhookEndpoint", e.Namespace(), e.Object())
	if err := kube.AwaitCondition(ctx, w.Cluster.Admin(), object, "Ready", "True", Patience); err != nil {
		return err
	}
	generation := object.GetGeneration()
	for _, r := range w.following() {
		if err := w.awaitRoute(ctx, r, e.Name, func(now loaded) bool { return now.Generation >= generation }); err != nil {
			return err
		}
	}
	version := e.Version(w.nextVersion(e.Name))
	version.AppliedAt = began
	w.options.History.Write(history.Record{Endpoint: version})
	return nil
}

// PutSecret applies the keys of an endpoint and waits until they are in force.
func (w *World) PutSecret(ctx context.Context, e *Endpoint) error {
	return w.changing(ctx, e, func() error { return w.Cluster.Apply(ctx, e.Secret()) })
}

// Yield has an older endpoint take the path of another one, which only drains from
// then on.
func (w *World) Yield(ctx context.Context, e, older *Endpoint) error {
	return w.changing(ctx, e, func() error {
		older.Path = "/" + e.Name
		return w.Put(ctx, older)
	})
}

// changing waits until every receiver has another route of the endpoint than
// before the change.
func (w *World) changing(ctx context.Context, e *Endpoint, change func() error) error {
	before := map[*Receiver]string{}
	for _, r := range w.following() {
		err := kube.Until(ctx, r.Name+" to tell its routes", Patience, func(ctx context.Context) error {
			route, err := w.loaded(ctx, r, e.Name)
			before[r] = route.Hash
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := change(); err != nil {
		return err
	}
	for r, hash := range before {
		if err := w.awaitRoute(ctx, r, e.Name, func(now loaded) bool { return now.Hash != hash }); err != nil {
			return err
		}
	}
	return nil
}

// Delete removes an endpoint and waits until no receiver has it.
func (w *World) Delete(ctx context.Context, e *Endpoint) error {
	began := history.Now()
	object := kube.Object("hooks.postern.dev/v1alpha1", "WebhookEndpoint", e.Namespace(), e.Object())
	if err := w.Cluster.Admin().Delete(ctx, object); err != nil {
		return err
	}
	if err := kube.AwaitGone(ctx, w.Cluster.Admin(), object, Patience); err != nil {
		return err
	}
	for _, r := range w.following() {
		if err := w.awaitRoute(ctx, r, e.Name, func(now loaded) bool { return now.Generation == 0 }); err != nil {
			return err
		}
	}
	version := e.Version(w.nextVersion(e.Name))
	version.AppliedAt, version.Removed = began, true
	w.options.History.Write(history.Record{Endpoint: version})
	return nil
}

// Unroute deletes the Secret of an endpoint's route and waits until no receiver
// has it. The manager must be away.
func (w *World) Unroute(ctx context.Context, e *Endpoint) error {
	var routes corev1.SecretList
	if err := w.Cluster.Admin().List(ctx, &routes, client.InNamespace(SystemNamespace)); err != nil {
		return err
	}
	for i := range routes.Items {
		route := &routes.Items[i]
		if route.Annotations["hooks.postern.dev/endpoint"] != e.Name || route.Labels["hooks.postern.dev/route"] == "" {
			continue
		}
		if err := w.Cluster.Admin().Delete(ctx, route); err != nil {
			return err
		}
	}
	for _, r := range w.following() {
		if err := w.awaitRoute(ctx, r, e.Name, func(now loaded) bool { return now.Generation == 0 }); err != nil {
			return err
		}
	}
	return nil
}

// Forget removes an endpoint after the run, without a trace in the history.
func (w *World) Forget(e *Endpoint) {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	object := kube.Object("hooks.postern.dev/v1alpha1", "WebhookEndpoint", e.Namespace(), e.Object())
	_ = w.Cluster.Admin().Delete(ctx, object) // the run may have deleted it
}

func (w *World) nextVersion(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.versions[name]++
	return w.versions[name]
}

func answersOK(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := prober.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(url + " answers " + response.Status)
	}
	return nil
}

var prober = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
