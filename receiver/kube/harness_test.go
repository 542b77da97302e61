package kube_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/postern-dev/postern/receiver/kube"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

// namespace makes one for the test.
func namespace(t *testing.T) string {
	t.Helper()
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "routes-"}}
	created, err := api.CoreV1().Namespaces().Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created.Name
}

// put creates or updates a Secret.
func put(t *testing.T, secret *corev1.Secret) {
	t.Helper()
	secrets := api.CoreV1().Secrets(secret.Namespace)
	_, err := secrets.Create(t.Context(), secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		_, err = secrets.Update(t.Context(), secret, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func secret(namespace, name, label, key string, data []byte) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{label: "true"}},
		Data:       map[string][]byte{key: data},
	}
}

func putRoute(t *testing.T, namespace string, endpoint *route.Endpoint) {
	t.Helper()
	document, err := endpoint.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	putDocument(t, namespace, endpoint.UID, document)
}

func putDocument(t *testing.T, namespace, uid string, document []byte) {
	t.Helper()
	put(t, secret(namespace, kube.RoutePrefix+uid, kube.RouteLabel, kube.RouteKey, document))
}

func putIndex(t *testing.T, namespace string, endpoints ...*route.Endpoint) {
	t.Helper()
	hashes := map[string]string{}
	for _, endpoint := range endpoints {
		hashes[endpoint.UID] = endpoint.Hash()
	}
	data, err := json.Marshal(map[string]any{"count": len(endpoints), "hash": route.IndexHash(hashes)})
	if err != nil {
		t.Fatal(err)
	}
	put(t, secret(namespace, kube.IndexName, kube.IndexLabel, kube.IndexKey, data))
}

func remove(t *testing.T, namespace, uid string) {
	t.Helper()
	err := api.CoreV1().Secrets(namespace).Delete(t.Context(), kube.RoutePrefix+uid, metav1.DeleteOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// set is what a source handed on.
type set struct {
	routes   []*route.Endpoint
	problems map[string]error
	// provisional sets come from the snapshot.
	provisional bool
	tombstones  []string
	// installation is what the set says that it is of.
	installation string
}

func (s set) names() string {
	var names []string
	for _, endpoint := range s.routes {
		names = append(names, endpoint.Name)
	}
	return strings.Join(names, " ")
}

// follower is a running source.
type follower struct {
	sets chan set
	stop func()
}

func follow(t *testing.T, options kube.Options) *follower {
	t.Helper()
	if options.Config == nil {
		options.Config = apiConfig
	}
	options.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	source, err := kube.New(options)
	if err != nil {
		t.Fatal(err)
	}
	f := &follower{sets: make(chan set, 1024)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- source.Run(ctx, func(next route.Set) {
			f.sets <- set{
				routes: next.Routes, problems: next.Problems, provisional: next.Provisional,
				tombstones: next.Tombstones, installation: next.Installation,
			}
		})
	}()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := wait.Next(t, "the end of Run", ended); err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

// await returns the first set that holds what is wanted.
func (f *follower) await(t *testing.T, what string, holds func(set) bool) set {
	t.Helper()
	for {
		if next := wait.Next(t, "a set with "+what, f.sets); holds(next) {
			return next
		}
	}
}

// silent fails when a set comes within the time.
func (f *follower) silent(t *testing.T, during time.Duration) {
	t.Helper()
	select {
	case next := <-f.sets:
		t.Fatalf("a set came: %q", next.names())
	case <-time.After(during):
	}
}

func named(names string) func(set) bool {
	return func(s set) bool { return s.names() == names }
}

// gate stands before the API server and can be shut.
type gate struct {
	t        *testing.T
	address  string
	upstream string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	talks    sync.WaitGroup
}

// newGate returns an open gate and a configuration that goes through it.
func newGate(t *testing.T) (*gate, *rest.Config) {
	t.Helper()
	g := &gate{t: t, address: "127.0.0.1:0", upstream: strings.Trim(strings.TrimPrefix(apiConfig.Host, "https://"), "/")}
	g.open()
	t.Cleanup(g.shut)
	config := rest.CopyConfig(apiConfig)
	config.Host = "https://" + g.address
	return g, config
}

func (g *gate) open() {
	g.t.Helper()
	listener, err := net.Listen("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	g.address = listener.Addr().String()
	g.listener, g.conns = listener, map[net.Conn]bool{}
	g.talks.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			g.talks.Go(func() { g.pass(client) })
		}
	})
}

func (g *gate) pass(client net.Conn) {
	server, err := net.Dial("tcp", g.upstream)
	if err != nil {
		_ = client.Close()
		return
	}
	g.mu.Lock()
	g.conns[client], g.conns[server] = true, true
	g.mu.Unlock()
	g.talks.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	_, _ = io.Copy(client, server)
	_ = client.Close()
}

// shut ends every connection and accepts none.
func (g *gate) shut() {
	_ = g.listener.Close()
	g.mu.Lock()
	for conn := range g.conns {
		_ = conn.Close()
	}
	g.mu.Unlock()
	g.talks.Wait()
}
