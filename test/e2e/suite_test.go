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
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"

	"github.com/postern-dev/postern/test/e2e/wire"
	"github.com/postern-dev/postern/test/helm"
	"github.com/postern-dev/postern/test/kube"
)

//go:embed manifests/*.yaml
var manifests embed.FS

const (
	root            = "../.."
	systemNamespace = "postern-system"
	// namespace has the agent, which is the target, and the endpoints github and stripe.
	namespace = "postern-e2e"
	// tenant has the endpoint orders, whose target is in the other namespace.
	tenant = "postern-e2e-shop"
	// nodeNamespace has the agent that kills on the receiver's node.
	nodeNamespace = "postern-e2e-node"
	apiVersion    = "hooks.postern.dev/v1alpha1"
	// patience covers starting a pod on a busy node.
	patience = 3 * time.Minute
	secret   = "e2e-github-secret"
)

// suite is the cluster under test.
type suite struct {
	client    client.Client
	rest      rest.Interface
	discovery discovery.DiscoveryInterface
	helm      *helm.Program
	// previous and current are the charts of two versions.
	previous, current string
	secret            string // what the github endpoint's Secret holds now
	loadedSince       time.Time
}

// TestDeployment is one story in order: each chapter builds on the one before.
func TestDeployment(t *testing.T) {
	s := newSuite(t)
	for _, chapter := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"install the previous version", s.install},
		{"upgrade under load with events queued", s.upgrade},
		{"helm test", s.helmTest},
		{"pods are restricted", s.podsAreRestricted},
		{"events are delivered", s.eventsAreDelivered},
		{"forged and repeated events", s.forgedAndRepeated},
		{"secret rotation", s.rotation},
		{"path conflict", s.pathConflict},
		{"consent given and revoked", s.consent},
		{"suspend", s.suspend},
		{"target outage", s.targetOutage},
		{"dead letters replayed", s.replay},
		{"receiver pod deleted under load", s.podDeleted},
		{"receiver killed under load", s.podKilled},
		{"trouble is told", s.trouble},
		{"rolling update under load", s.rollingUpdate},
		{"receiver deleted under load, and rollback", s.rollback},
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
	cluster.QPS = -1
	c, err := client.New(cluster, client.Options{})
	must(t, err)
	clientset, err := kubernetes.NewForConfig(cluster)
	must(t, err)
	program, err := helm.Find(root, t.TempDir(), "")
	must(t, err)
	s := &suite{
		client: c, rest: clientset.CoreV1().RESTClient(), discovery: clientset.Discovery(), helm: program, secret: secret,
	}
	s.packageCharts(t)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// manifest is one of this folder's, values filled in.
func manifest(t *testing.T, name string, values ...string) []byte {
	t.Helper()
	data, err := manifests.ReadFile("manifests/" + name)
	must(t, err)
	return []byte(strings.NewReplacer(values...).Replace(string(data)))
}

func (s *suite) apply(t *testing.T, name string, values ...string) {
	t.Helper()
	_, err := kube.Apply(t.Context(), s.client, manifest(t, name, values...))
	must(t, err)
}

func (s *suite) remove(t *testing.T, name string, values ...string) {
	t.Helper()
	must(t, kube.Delete(t.Context(), s.client, manifest(t, name, values...), patience))
}

// await waits for a condition of one of Postern's objects.
func (s *suite) await(t *testing.T, kind, ns, name, condition, status string) {
	t.Helper()
	o := kube.Object(apiVersion, kind, ns, name)
	must(t, kube.AwaitCondition(t.Context(), s.client, o, condition, status, patience))
}

// receivers are the pods of a WebhookReceiver.
func (s *suite) receivers(t *testing.T, name string) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	must(t, s.client.List(t.Context(), &pods, client.InNamespace(systemNamespace), client.MatchingLabels{
		"app.kubernetes.io/component": "receiver", "app.kubernetes.io/instance": name,
	}))
	return pods.Items
}

// agent calls the control port of an agent.
func (s *suite) agent(verb, path string) *rest.Request { return s.agentIn(namespace, verb, path) }

func (s *suite) agentIn(ns, verb, path string) *rest.Request {
	return s.rest.Verb(verb).Namespace(ns).Resource("pods").Name("agent:9090").SubResource("proxy").Suffix(path)
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
			log, err := s.rest.Get().Namespace(pod.Namespace).Resource("pods").Name(pod.Name).SubResource("log").
				Param("container", container.Name).Param("tailLines", "30").DoRaw(t.Context())
			t.Logf("last lines of %s (%v):\n%s", container.Name, err, log)
		}
	}
	var events corev1.EventList
	if err := s.client.List(t.Context(), &events, client.InNamespace(systemNamespace)); err == nil {
		for _, event := range events.Items {
			t.Logf("event %s %s: %s", event.InvolvedObject.Name, event.Reason, event.Message)
		}
	}
}
