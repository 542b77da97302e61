//go:build e2e

package e2e

import (
	"embed"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	"github.com/postern-dev/postern/test/e2e/wire"
	"github.com/postern-dev/postern/test/kube"
)

//go:embed manifests/*.yaml
var manifests embed.FS

const (
	systemNamespace = "postern-system"
	namespace       = "postern-e2e"
	apiVersion      = "hooks.postern.dev/v1alpha1"
	// patience covers starting a pod on a busy node.
	patience = 3 * time.Minute
	secret   = "e2e-github-secret"
)

// suite is the cluster under test.
type suite struct {
	client client.Client
	rest   rest.Interface
	secret string // what the github endpoint's Secret holds now
}

// TestDeployment is one story in order: each chapter builds on the one before.
func TestDeployment(t *testing.T) {
	s := newSuite(t)
	for _, chapter := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"deploy", s.deploy},
		{"pods are restricted", s.podsAreRestricted},
		{"events are delivered", s.eventsAreDelivered},
		{"forged and repeated events", s.forgedAndRepeated},
		{"secret rotation", s.rotation},
		{"path conflict", s.pathConflict},
		{"suspend", s.suspend},
		{"target outage", s.targetOutage},
		{"receiver pod deleted", s.receiverPodDeleted},
		{"uninstall", s.uninstall},
	} {
		if !t.Run(chapter.name, chapter.run) {
			s.describe(t)
			t.Fatalf("the story ends at %q", chapter.name)
		}
	}
}

func newSuite(t *testing.T) *suite {
	t.Helper()
	for _, name := range []string{"KUBECONFIG", "IMG", "REDIS_IMG", "E2E_IMG"} {
		if os.Getenv(name) == "" {
			t.Fatalf("set %s; docs/development.md says how to run these tests", name)
		}
	}
	cluster, err := config.GetConfig()
	must(t, err)
	c, err := client.New(cluster, client.Options{})
	must(t, err)
	clientset, err := kubernetes.NewForConfig(cluster)
	must(t, err)
	return &suite{client: c, rest: clientset.CoreV1().RESTClient(), secret: secret}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// apply applies one of this folder's manifests, values filled in.
func (s *suite) apply(t *testing.T, name string, values ...string) {
	t.Helper()
	data, err := manifests.ReadFile("manifests/" + name)
	must(t, err)
	_, err = kube.Apply(t.Context(), s.client, []byte(strings.NewReplacer(values...).Replace(string(data))))
	must(t, err)
}

// installManifest is what `make installer` wrote.
func installManifest(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("../../dist/install.yaml")
	if err != nil {
		t.Fatalf("%v: `make e2e` writes it", err)
	}
	return data
}

// await waits for a condition of one of Postern's objects.
func (s *suite) await(t *testing.T, kind, ns, name, condition, status string) {
	t.Helper()
	o := kube.Object(apiVersion, kind, ns, name)
	must(t, kube.AwaitCondition(t.Context(), s.client, o, condition, status, patience))
}

func (s *suite) agent(verb, path string) *rest.Request {
	request := s.rest.Verb(verb).Namespace(namespace).Resource("pods").Name("agent:9090").SubResource("proxy")
	return request.Suffix(path)
}

// events are the deliveries that the target accepted, by event id.
func (s *suite) events(t *testing.T) map[string][]wire.Event {
	t.Helper()
	data, err := s.agent("GET", "events").DoRaw(t.Context())
	must(t, err)
	var all []wire.Event
	must(t, json.Unmarshal(data, &all))
	byID := map[string][]wire.Event{}
	for _, event := range all {
		byID[event.ID] = append(byID[event.ID], event)
	}
	return byID
}

// answer sets the status code of the target from now on.
func (s *suite) answer(t *testing.T, status string) {
	t.Helper()
	must(t, s.agent("PUT", "answer").Param("status", status).Do(t.Context()).Error())
}

// describe prints what a person would look at first.
func (s *suite) describe(t *testing.T) {
	t.Helper()
	var pods corev1.PodList
	if err := s.client.List(t.Context(), &pods, client.InNamespace(systemNamespace)); err != nil {
		t.Log(err)
		return
	}
	for _, pod := range pods.Items {
		t.Logf("pod %s: %s", pod.Name, pod.Status.Phase)
		for _, container := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
			lines := int64(30)
			log, err := s.rest.Get().Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource("log").
				Param("container", container.Name).Param("tailLines", "30").DoRaw(t.Context())
			t.Logf("last %d lines of %s (%v):\n%s", lines, container.Name, err, log)
		}
	}
	var events corev1.EventList
	if err := s.client.List(t.Context(), &events, client.InNamespace(systemNamespace)); err == nil {
		for _, event := range events.Items {
			t.Logf("event %s %s: %s", event.InvolvedObject.Name, event.Reason, event.Message)
		}
	}
}
