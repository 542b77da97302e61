package dashboards_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/cli"
	"github.com/postern-dev/postern/config/crd"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/freeport"
	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
	"github.com/postern-dev/postern/test/wait"
)

const namespaces = `
apiVersion: v1
kind: Namespace
metadata: {name: postern-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: ci}
`

// objects are endpoints with every fate: github is in the middle of a rotation
// and has one target that takes events, one that fails and one that never takes
// any; slack lacks its Secret.
const objects = `
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookReceiver
metadata: {name: default, namespace: postern-system}
spec: {}
---
apiVersion: v1
kind: Secret
metadata: {name: github, namespace: ci}
stringData: {current: "` + routetest.Key + `", previous: older}
---
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: github, namespace: ci}
spec:
  source: {provider: github}
  secretRef: {name: github, keys: [current, previous]}
  maxBodyBytes: 4096
  targets:
  - service: {name: builder, port: 80}
  - service: {name: failing, port: 80}
    eventTypes: [release]
  - service: {name: gone, port: 80}
    eventTypes: [issues]
---
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: slack, namespace: ci}
spec:
  source: {provider: slack}
  secretRef: {name: missing}
  targets:
  - service: {name: builder, port: 80}
`

func service(name string) string {
	return "\n---\napiVersion: v1\nkind: Service\nmetadata: {name: " + name +
		", namespace: ci}\nspec: {ports: [{port: 80}], selector: {app: " + name + "}}\n"
}

// world is a control plane with a manager and a receiver at work.
type world struct {
	store             *redistest.Server
	manager, receiver string // addresses that serve metrics
	public            string
	client            *http.Client
}

func start(t *testing.T) *world {
	t.Helper()
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: `make test` finds kube-apiserver and etcd, or builds them")
	}
	plane, err := local.StartPlane(assets)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plane.Stop)
	install(t, plane)
	w := &world{
		store:   redistest.Start(t, redistest.WithArgs("--maxmemory", "16mb")),
		manager: address(t), receiver: address(t), public: address(t),
		client: &http.Client{Timeout: wait.Patience},
	}
	t.Cleanup(w.client.CloseIdleConnections)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	data, err := plane.Kubeconfig("postern", "system:masters")
	if err == nil {
		err = os.WriteFile(kubeconfig, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, "manager", "--kubeconfig="+kubeconfig, "--image=postern:test", "--receiver-url=http://"+w.receiver,
		"--metrics-bind-address="+w.manager, "--metrics-secure=false", "--health-probe-bind-address=0")
	receiver := []string{
		"receiver", "--kubeconfig=" + kubeconfig, "--listen=" + w.public, "--internal=" + w.receiver,
		"--store=" + w.store.URL(), "--store-exclusive",
		"--namespace-max-stored-bytes=1073741824", "--shutdown-delay-seconds=0",
	}
	for name, status := range map[string]int{"builder": 200, "failing": 500, "gone": 410} {
		receiver = append(receiver, "--forward=ci/"+name+"="+target(t, status))
	}
	run(t, receiver...)
	github := kube.Object("hooks.postern.dev/v1alpha1", "WebhookEndpoint", "ci", "github")
	if err := kube.AwaitCondition(t.Context(), plane.Admin, github, "Ready", "True", wait.Patience); err != nil {
		t.Fatal(err)
	}
	return w
}

func install(t *testing.T, plane *local.Plane) {
	t.Helper()
	definitions := namespaces
	files, err := crd.Bases.ReadDir("bases")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := crd.Bases.ReadFile("bases/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		definitions += "\n---\n" + string(data)
	}
	if _, err := plane.Install(t.Context(), []byte(definitions), wait.Patience); err != nil {
		t.Fatal(err)
	}
	everything := objects + service("builder") + service("failing") + service("gone")
	if _, err := kube.Apply(t.Context(), plane.Admin, []byte(everything)); err != nil {
		t.Fatal(err)
	}
}

func address(t *testing.T) string {
	t.Helper()
	port, err := freeport.Find()
	if err != nil {
		t.Fatal(err)
	}
	return "127.0.0.1:" + strconv.Itoa(port)
}

// run runs a command of the one binary until the test ends.
func run(t *testing.T, arguments ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var group sync.WaitGroup
	var out bytes.Buffer
	group.Go(func() {
		code := cli.Main(ctx, append([]string{"postern"}, arguments...), cli.Streams{In: os.Stdin, Out: io.Discard, Err: &out})
		if ctx.Err() == nil {
			t.Errorf("postern %s ended with %d:\n%s", arguments[0], code, out.String())
		}
	})
	t.Cleanup(func() { stop(); group.Wait() })
}

func target(t *testing.T, status int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(server.Close)
	return server.URL
}

// load sends a mixture of everything until ctx ends: about a hundred requests a
// second of valid events, and a few of each that is refused.
func (w *world) load(ctx context.Context) {
	ticker := time.NewTicker(10 * time.Millisecond) //nolint:forbidigo // the load's own pace
	defer ticker.Stop()
	body := []byte(`{"ref":"refs/heads/main"}`)
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		id := fmt.Sprintf("delivery-%d", i)
		eventType, key, path, content := "push", routetest.Key, "/ci/github", body
		switch i % 25 {
		case 3:
			id = fmt.Sprintf("delivery-%d", i-1)
		case 6:
			key = "older"
		case 9:
			key = "forged"
		case 12:
			path = "/ci/nobody"
		case 15:
			path = "/ci/slack"
		case 18:
			content = bytes.Repeat([]byte("x"), 8192)
		case 20:
			eventType = "release"
		case 22:
			eventType = "issues"
		case 24:
			eventType = "pull_request"
		}
		w.send(ctx, path, key, id, eventType, content)
	}
}

func (w *world) send(ctx context.Context, path, key, id, eventType string, body []byte) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.public+path, bytes.NewReader(body))
	if err != nil {
		return
	}
	routetest.SignGitHub(request.Header, key, id, eventType, body)
	response, err := w.client.Do(request)
	if err != nil {
		return // the run ends, or the store is paused
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// scrape is what Prometheus gets from an address.
func (w *world) scrape(t *testing.T, address string) io.Reader {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := w.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("scrape of %s: %s %v", address, response.Status, err)
	}
	return strings.NewReader(string(body))
}
