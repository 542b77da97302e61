package security

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/receiver/route/routetest"
	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
	"github.com/postern-dev/postern/test/wait"
)

// Each canary is a text that occurs nowhere else: where it is found, it came from
// the one place that it was put into.
const (
	canarySecret   = "canary-of-the-secret-0a61"
	canaryPrevious = "canary-of-the-previous-secret-7b32"
	canaryToken    = "canary-of-the-token-header-44c9"
	canaryBroken   = "canary-of-a-secret-that-is-none-91fe"
	canaryPayload  = "canary-of-the-payload-c8d1"
	canaryHeader   = "canary-of-a-header-5e0b"
	canaryQuery    = "canary-of-the-query-3f77"
)

// secrets may be in Secrets alone; contents also in the store, and in what shows
// one event whole.
var (
	secrets  = []string{canarySecret, canaryPrevious, canaryToken, canaryBroken}
	contents = []string{canaryPayload, canaryHeader, canaryQuery}
)

const tenant = `
apiVersion: v1
kind: Namespace
metadata: {name: ci}
---
apiVersion: v1
kind: Service
metadata: {name: builder, namespace: ci}
spec: {clusterIP: None, ports: [{port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: hook, namespace: ci}
stringData:
  secret: "` + canarySecret + `"
  previous: "` + canaryPrevious + `"
  token: "` + canaryToken + `"
  broken: "` + canaryBroken + `"
---
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: github, namespace: ci}
spec:
  source: {provider: github}
  secretRef: {name: hook, keys: [secret, previous]}
  retry: {maxAttempts: 2, initialBackoffSeconds: 1}
  targets: [{service: {name: builder, port: 80}}]
---
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: audit, namespace: ci}
spec:
  source: {provider: github, enforcement: Audit}
  secretRef: {name: hook, keys: [secret]}
  targets: [{service: {name: builder, port: 80}}]
---
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: token, namespace: ci}
spec:
  source:
    scheme: {algorithm: Token, signature: {headers: [X-Token]}}
  secretRef: {name: hook, keys: [token]}
  targets: [{service: {name: builder, port: 80}}]
---
apiVersion: hooks.postern.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: broken, namespace: ci}
spec:
  source: {provider: github}
  secretRef: {name: hook, keys: [secret]}
  targets: [{service: {name: builder, port: 80}, signingSecretRef: {name: hook, key: broken}}]
`

// target is a Service that takes nothing.
type target struct {
	url    string
	close  func()
	bodies chan string
}

func newTarget() *target {
	t := &target{bodies: make(chan string, 1024)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		t.bodies <- fmt.Sprint(r.URL, r.Header, string(body))
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.url, t.close = server.URL, server.Close
	return t
}

// TestCanaries puts marked secrets and marked events through everything that can
// happen to them, and looks for the marks in everything that anybody can see.
func TestCanaries(t *testing.T) {
	if _, err := kube.Apply(t.Context(), admin, []byte(tenant)); err != nil {
		t.Fatal(err)
	}
	for name, condition := range map[string]string{
		"github": "Ready", "audit": "Ready", "token": "Ready", "broken": "Accepted",
	} {
		endpoint := kube.Object("hooks.postern.dev/v1alpha1", "WebhookEndpoint", "ci", name)
		if err := kube.AwaitCondition(t.Context(), admin, endpoint, condition, "True", wait.Patience); err != nil {
			t.Fatal(err)
		}
	}
	exercise(t)
	seen := everything(t)
	for _, mark := range append(append([]string{}, secrets...), contents...) {
		for where, text := range seen {
			if form := found(text, mark); form != "" {
				t.Errorf("%s has the %s, %s", where, mark, form)
			}
		}
	}
	// The store keeps what was received, without what proved it.
	log := appendOnly(t)
	for _, mark := range secrets {
		if strings.Contains(log, mark) {
			t.Errorf("the store has the %s", mark)
		}
	}
	if !strings.Contains(log, canaryPayload) {
		t.Error("the store has no payload: the test looks in the wrong place")
	}
	whole := get(t, installation.Internal+"/events/"+eventID(t)+"?endpoint=ci/github")
	if found(whole, canaryPayload) == "" {
		t.Errorf("an event is shown without its payload: %s", whole)
	}
}

// exercise sends good and bad requests to every endpoint, until what is accepted
// has failed at the target.
func exercise(t *testing.T) {
	t.Helper()
	body := []byte(`{"note":"` + canaryPayload + `"}`)
	number := 0
	for _, c := range []struct {
		path, key, header, value string
		want                     int
	}{
		{"/ci/github", canarySecret, "", "", 200},
		{"/ci/github", canaryPrevious, "", "", 200},
		{"/ci/github", "another", "", "", 401},
		{"/ci/github", canarySecret, "X-Hub-Signature-256", "sha256=" + canaryHeader, 401},
		{"/ci/audit", "another", "", "", 200},
		{"/ci/audit", canarySecret, "X-Hub-Signature-256", canaryHeader, 200},
		{"/ci/token", "", "X-Token", canaryToken, 200},
		{"/ci/token", "", "X-Token", canaryToken + "x", 401},
		{"/ci/token", "", "X-Token", "", 401},
		{"/ci/none", canarySecret, "", "", 404},
	} {
		number++
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			installation.Public+c.path+"?token="+canaryQuery, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		routetest.SignGitHub(request.Header, c.key, fmt.Sprint("delivery ", number), "push", body)
		request.Header.Set("X-Note", canaryHeader)
		request.Header.Set("Authorization", "Bearer "+canaryHeader)
		if c.header != "" {
			request.Header.Set(c.header, c.value)
		}
		response, err := new(http.Client).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != c.want {
			t.Fatalf("request %d to %s is answered %d %s, want %d", number, c.path, response.StatusCode, answer, c.want)
		}
		for _, mark := range append(append([]string{}, secrets...), contents...) {
			if bytes.Contains(answer, []byte(mark)) {
				t.Errorf("the answer %s has the %s", answer, mark)
			}
		}
	}
	err := kube.Until(t.Context(), "a dead letter", wait.Patience, func(ctx context.Context) error {
		if !strings.Contains(get(t, installation.Internal+"/metrics"), `outcome="dead"`) {
			return fmt.Errorf("nothing died yet")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for len(failing.bodies) > 0 {
		delivered := <-failing.bodies
		for _, mark := range secrets {
			if strings.Contains(delivered, mark) {
				t.Errorf("the target got the %s: %s", mark, delivered)
			}
		}
	}
}

// everything is all that somebody may see who may not read Secrets.
func everything(t *testing.T) map[string]string {
	t.Helper()
	seen := map[string]string{
		"the receiver's metrics":   get(t, installation.Internal+"/metrics"),
		"the manager's metrics":    get(t, installation.Metrics+"/metrics"),
		"the list of routes":       get(t, installation.Internal+"/routes"),
		"readiness":                get(t, installation.Internal+"/readyz"),
		"the list of events":       get(t, installation.Internal+"/events?endpoint=ci/github"),
		"the list of dead letters": get(t, installation.Internal+"/events?endpoint=ci/github&status=dead"),
	}
	for _, name := range []string{"manager", "receiver", "redis"} {
		text, err := installation.Log(name)
		if err != nil {
			t.Fatal(err)
		}
		seen["the log of the "+name] = text
	}
	for _, p := range []*local.Process{installation.Manager, installation.Receiver, installation.Store} {
		for _, file := range []string{"environ", "cmdline"} {
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.PID(), file))
			if err != nil {
				t.Fatal(err)
			}
			seen["the "+file+" of the "+p.Name] = string(data)
		}
	}
	objects := 0
	for where, text := range allObjects(t) {
		seen[where] = text
		objects++
	}
	if objects < 30 || !strings.Contains(seen["the log of the receiver"], "ci/github") {
		t.Fatalf("only %d objects, or no log, were looked at", objects)
	}
	return seen
}

// allObjects yields every object of the cluster but the tenants' Secrets and the
// routes, which have to hold keys.
func allObjects(t *testing.T) map[string]string {
	t.Helper()
	kinds, err := discovery.NewDiscoveryClientForConfigOrDie(config).ServerPreferredResources()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, list := range kinds {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range list.APIResources {
			if !strings.Contains(strings.Join(kind.Verbs, " "), "list") {
				continue
			}
			objects := &unstructured.UnstructuredList{}
			objects.SetGroupVersionKind(version.WithKind(kind.Kind + "List"))
			if err := admin.List(t.Context(), objects); err != nil {
				t.Fatalf("list %s: %v", kind.Name, err)
			}
			for i := range objects.Items {
				collect(t, &objects.Items[i], seen)
			}
		}
	}
	return seen
}

func collect(t *testing.T, object *unstructured.Unstructured, seen map[string]string) {
	t.Helper()
	name := fmt.Sprintf("%s %s", object.GetKind(), client.ObjectKeyFromObject(object))
	if object.GetKind() == "Secret" {
		kind, _, _ := unstructured.NestedString(object.Object, "type")
		if object.GetNamespace() == "ci" || kind == "hooks.postern.dev/route" {
			unstructured.RemoveNestedField(object.Object, "data")
		}
	}
	data, err := json.Marshal(object.Object)
	if err != nil {
		t.Fatal(err)
	}
	seen[name] = string(data)
}

// found says in which form a text has a mark; empty if it has none.
func found(text, mark string) string {
	for form, spelling := range map[string]string{
		"as it is": mark, "in base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(mark)), "="),
		"in hex": fmt.Sprintf("%x", mark),
	} {
		// A part in the middle has no border with what stands around it.
		if strings.Contains(text, spelling[:len(spelling)-2]) {
			return form
		}
	}
	if decoded, err := base64.StdEncoding.DecodeString(text); err == nil && bytes.Contains(decoded, []byte(mark)) {
		return "in base64"
	}
	return encoded(text, mark)
}

// encoded looks into the strings of a JSON document that are base64 themselves.
func encoded(text, mark string) string {
	for part := range strings.SplitSeq(text, `"`) {
		if decoded, err := base64.StdEncoding.DecodeString(part); err == nil && bytes.Contains(decoded, []byte(mark)) {
			return "in base64"
		}
	}
	return ""
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := new(http.Client).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %d %s", url, response.StatusCode, body)
	}
	return string(body)
}

func eventID(t *testing.T) string {
	t.Helper()
	var page struct {
		Events []struct {
			ID string `json:"id"`
		} `json:"events"`
	}
	text := get(t, installation.Internal+"/events?endpoint=ci/github")
	if err := json.Unmarshal([]byte(text), &page); err != nil || len(page.Events) == 0 {
		t.Fatalf("no events in %s: %v", text, err)
	}
	return page.Events[0].ID
}

// appendOnly reads the store's log.
func appendOnly(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := walk(installation.Path("data"), func(data []byte) { all.Write(data) })
	if err != nil || all.Len() == 0 {
		t.Fatalf("the store's log has %d bytes: %v", all.Len(), err)
	}
	return all.String()
}

func walk(folder string, read func([]byte)) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		read(data)
		return err
	})
}
