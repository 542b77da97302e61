//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
)

const (
	chart   = root + "/charts/postern"
	release = "postern"
)

// packageCharts makes the chart of this tree, and an earlier version of it
// unless E2E_PREVIOUS_CHART names one.
func (s *suite) packageCharts(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	s.current = filepath.Join(folder, "postern-100.0.0.tgz")
	s.run(t, "package", chart, "--destination", folder, "--version", "100.0.0", "--app-version", "v100.0.0")
	if s.previous = os.Getenv("E2E_PREVIOUS_CHART"); s.previous == "" {
		s.previous = filepath.Join(folder, "postern-0.0.1.tgz")
		s.run(t, "package", chart, "--destination", folder, "--version", "0.0.1", "--app-version", "v0.0.1")
	}
}

func (s *suite) run(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := s.helm.Run(t.Context(), append(arguments, "--namespace", systemNamespace)...)
	must(t, err)
	return out
}

// images are the values that say what runs; the rest is the chart's defaults.
func images(t *testing.T, image string) []string {
	t.Helper()
	colon := strings.LastIndex(image, ":")
	if colon < 0 {
		t.Fatalf("image %s has no tag", image)
	}
	values := "image.repository=" + image[:colon] + ",image.tag=" + image[colon+1:] +
		",receiver.store.sidecar.image=" + os.Getenv("REDIS_IMG")
	if class := os.Getenv("E2E_STORAGE_CLASS"); class != "" {
		values += ",receiver.store.sidecar.persistence.storageClassName=" + class
	}
	return []string{"--set-string", values}
}

// install installs with default values and endpoints at once, and takes the
// time until the first event is at its target.
func (s *suite) install(t *testing.T) {
	s.apply(t, "namespaces.yaml")
	s.apply(t, "agent.yaml", "${E2E_IMG}", os.Getenv("E2E_IMG"))
	agent := kube.Object("v1", "Pod", namespace, "agent")
	must(t, kube.AwaitCondition(t.Context(), s.client, agent, "Ready", "True", patience))

	begin := time.Now()
	notes := s.run(t, append([]string{"install", release, s.previous},
		images(t, cmp.Or(os.Getenv("E2E_PREVIOUS_IMG"), os.Getenv("IMG")))...)...)
	if !strings.Contains(notes, "wait --for=condition=Ready") {
		t.Errorf("the notes name no next step:\n%s", notes)
	}
	s.apply(t, "endpoints.yaml", "${GITHUB_SECRET}", s.secret)
	s.await(t, "WebhookEndpoint", namespace, "github", "Ready", "True")
	s.delivered(t, s.accept(t, "first-after-ready")) // Ready must mean that the very next request works
	t.Logf("from helm install to the first delivered event: %s", time.Since(begin).Round(100*time.Millisecond))
	s.await(t, "WebhookReceiver", systemNamespace, "default", "Ready", "True")
	s.await(t, "WebhookEndpoint", namespace, "stripe", "Ready", "True")
}

// upgrade changes the version, the image's tag and values, while events wait
// for a target that refuses them and more come in.
func (s *suite) upgrade(t *testing.T) {
	s.answer(t, "503")
	ids := s.queue(t, "before-the-upgrade", 20)
	s.beginLoad(t, service, "github")
	values := filepath.Join(t.TempDir(), "values.yaml")
	must(t, os.WriteFile(values, manifest(t, "values.yaml"), 0o600))
	s.run(t, append([]string{"upgrade", release, s.current, "--wait", "--timeout", "2m", "--values", values},
		images(t, os.Getenv("IMG"))...)...)
	s.settled(t, "64Mi")
	ids = append(ids, s.endLoad(t)...)
	s.answer(t, "204")
	s.arrived(t, ids)
}

// settled waits until the WebhookReceiver "default" says what the release says,
// by one value of it, and its pods run it.
func (s *suite) settled(t *testing.T, maxMemory string) {
	t.Helper()
	receiver := kube.Object(apiVersion, "WebhookReceiver", systemNamespace, "default")
	must(t, kube.Until(t.Context(), "the values of the release", patience, func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(receiver), receiver); err != nil {
			return err
		}
		got, _, _ := unstructured.NestedString(receiver.Object, "spec", "store", "sidecar", "maxMemory")
		if got != maxMemory {
			return fmt.Errorf("the store's maxMemory is %q, want %q", got, maxMemory)
		}
		return nil
	}))
	s.await(t, "WebhookReceiver", systemNamespace, "default", "Ready", "True")
}

func (s *suite) helmTest(t *testing.T) {
	s.run(t, "test", release, "--timeout", "2m")
}

// rollback deletes the WebhookReceiver under load, and brings it back with the
// first revision: the claim and the events in it have stayed.
func (s *suite) rollback(t *testing.T) {
	s.answer(t, "503")
	ids := s.queue(t, "before-the-rollback", 20)
	s.beginLoad(t, service, "github")
	receiver := kube.Object(apiVersion, "WebhookReceiver", systemNamespace, "default")
	must(t, s.client.Delete(t.Context(), receiver))
	must(t, kube.AwaitGone(t.Context(), s.client, receiver, patience))
	s.run(t, "rollback", release, "1", "--wait", "--timeout", "2m")
	s.settled(t, "")
	ids = append(ids, s.endLoad(t)...)
	s.answer(t, "204")
	s.arrived(t, ids)
}

// podsAreRestricted asks the API server whether the namespace enforces the
// restricted standard, and that every pod was admitted under it.
func (s *suite) podsAreRestricted(t *testing.T) {
	var pods corev1.PodList
	must(t, s.client.List(t.Context(), &pods, client.InNamespace(systemNamespace)))
	if len(pods.Items) < 2 {
		t.Fatalf("%d pods, want manager and receiver", len(pods.Items))
	}
	privileged := kube.Object("v1", "Pod", systemNamespace, "privileged")
	privileged.Object["spec"] = map[string]any{"containers": []any{map[string]any{
		"name": "x", "image": "x", "securityContext": map[string]any{"privileged": true},
	}}}
	if err := s.client.Create(t.Context(), privileged); err == nil {
		t.Error("a privileged pod was admitted")
	}
}
