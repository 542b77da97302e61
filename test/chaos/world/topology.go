package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/test/freeport"
	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
)

// receiverSpec is that of the WebhookReceiver: nobody has to learn that a
// receiver is stopping, so that it need not serve on.
const receiverSpec = "  shutdownDelaySeconds: 0\n  terminationGracePeriodSeconds: 20\n"

// externalSpec names a store whose URL the harness passes by itself.
const externalSpec = receiverSpec + `  replicas: 2
  store: {type: External, external: {urlSecretRef: {name: chaos-store}}}
`

const externalSecret = "apiVersion: v1\nkind: Secret\nmetadata: {name: chaos-store, namespace: " + SystemNamespace +
	"}\nstringData: {url: \"redis://chaos.invalid:6379\"}\n"

// ephemeralSpec has a store whose volume ends with the pod.
const ephemeralSpec = receiverSpec + "  store: {sidecar: {persistence: {type: EmptyDir}}}\n"

// startSidecar plays the kubelet with the Deployment of a store in the pod.
func (w *World) startSidecar(ctx context.Context) error {
	spec, drains := receiverSpec, w.options.Topology == Ephemeral
	if drains {
		spec = ephemeralSpec
	}
	pod, err := w.Cluster.pod(ctx, spec, true, drains)
	if err != nil {
		return err
	}
	store, err := w.newStore("redis", 0, local.Arguments(pod.InitContainers, "store"))
	if err != nil {
		return err
	}
	w.Stores = append(w.Stores, store)
	arguments := slices.Concat(local.Arguments(pod.Containers, "receiver"),
		[]string{"--store=" + store.URL(), "--store-data-dir=" + store.Dir})
	if err := w.receiver(0, arguments, nil); err != nil {
		return err
	}
	return w.startAll(ctx)
}

// Ephemeral tells whether the store ends with its pod.
func (w *World) Ephemeral() bool { return w.options.Topology == Ephemeral }

// startExternal has several receivers on one store.
func (w *World) startExternal(ctx context.Context) error {
	port, err := freeport.Find()
	if err != nil {
		return err
	}
	store, err := w.newStore("redis", port, durable(port))
	if err != nil {
		return err
	}
	w.Stores = append(w.Stores, store)
	if err := w.externalReceivers(ctx, store.URL()); err != nil {
		return err
	}
	return w.startAll(ctx)
}

func (w *World) externalReceivers(ctx context.Context, url string) error {
	if err := w.Cluster.Apply(ctx, externalSecret); err != nil {
		return err
	}
	pod, err := w.Cluster.pod(ctx, externalSpec, false, false)
	if err != nil {
		return err
	}
	arguments := local.Arguments(pod.Containers, "receiver")
	for n := range max(w.options.Receivers, 1) {
		if err := w.receiver(n, arguments, []string{"POSTERN_STORE=" + url}); err != nil {
			return err
		}
	}
	return nil
}

// primaryName is what the Sentinel calls the group.
const primaryName = "chaos"

// startSentinel has a primary, a replica and a Sentinel that makes the replica
// the primary a second after it was last heard of.
func (w *World) startSentinel(ctx context.Context) error {
	var ports [3]int
	for i := range ports {
		var err error
		if ports[i], err = freeport.Find(); err != nil {
			return err
		}
	}
	for i, port := range ports[:2] {
		// The default user stays on, because replicas and Sentinel are it.
		store, err := w.newStore("redis"+strconv.Itoa(i), port, durable(port))
		if err != nil {
			return err
		}
		w.Stores = append(w.Stores, store)
		if err := store.Start(ctx); err != nil {
			return err
		}
	}
	if _, err := w.Stores[1].Do(ctx, "REPLICAOF", "127.0.0.1", strconv.Itoa(ports[0])); err != nil {
		return err
	}
	if err := w.newSentinel(ports[0], ports[2]); err != nil {
		return err
	}
	if err := w.AwaitReplica(ctx); err != nil {
		return err
	}
	if err := w.Sentinels[0].Start(ctx); err != nil {
		return err
	}
	url := fmt.Sprintf("redis://127.0.0.1:%d?master_set=%s", ports[2], primaryName)
	if err := w.externalReceivers(ctx, url); err != nil {
		return err
	}
	return w.startAll(ctx)
}

func (w *World) newSentinel(primary, port int) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return err
	}
	configuration := fmt.Sprintf(`port %d
bind 127.0.0.1
dir %s
sentinel monitor %s 127.0.0.1 %d 1
sentinel down-after-milliseconds %s 1000
sentinel failover-timeout %s 5000
sentinel parallel-syncs %s 1
`, port, w.run, primaryName, primary, primaryName, primaryName, primaryName)
	w.sentinel = port
	path := filepath.Join(w.run, "sentinel.conf")
	if err := os.WriteFile(path, []byte(configuration), 0o600); err != nil {
		return err
	}
	w.Sentinels = append(w.Sentinels, newUnit("sentinel", w.options.Folder, w.options.History,
		func() (local.Command, error) {
			return local.Command{Program: program, Args: []string{path, "--sentinel"}}, nil
		}, func(ctx context.Context) error {
			_, err := ask(ctx, "tcp", address(port), []string{"PING"})
			return err
		}))
	return nil
}

// Primary is the store that takes writes; nil while there is none.
func (w *World) Primary(ctx context.Context) *Store {
	for _, s := range w.Stores {
		if role, err := s.Do(ctx, "ROLE"); err == nil && strings.HasPrefix(role, "master") {
			return s
		}
	}
	return nil
}

// Announced is the port of the store that Sentinel names as the primary.
func (w *World) Announced(ctx context.Context) (int, error) {
	reply, err := ask(ctx, "tcp", address(w.sentinel), []string{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", primaryName})
	if err != nil {
		return 0, err
	}
	_, port, _ := strings.Cut(reply, "\n")
	return strconv.Atoi(port)
}

// AwaitReplica waits until some primary has a replica that is in step.
func (w *World) AwaitReplica(ctx context.Context) error {
	return kube.Until(ctx, "a primary with a replica", Patience, func(ctx context.Context) error {
		for _, s := range w.Stores {
			info, err := s.Do(ctx, "INFO", "replication")
			if err == nil && strings.Contains(info, "role:master") && strings.Contains(info, "state=online") {
				return nil
			}
		}
		return errors.New("no primary says that its replica is online")
	})
}

func (w *World) startAll(ctx context.Context) error {
	for _, s := range w.Stores {
		if err := s.Start(ctx); err != nil {
			return err
		}
	}
	for _, r := range w.Receivers {
		r.Release()
	}
	return w.AwaitReady(ctx)
}
