//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
)

// podDeleted deletes the receiver's pod while events wait for a target that
// refuses them and more come in: the old pod goes on serving for a while, and
// what it acknowledges then must be in the store that the new one opens.
func (s *suite) podDeleted(t *testing.T) {
	s.answer(t, "503")
	ids := s.queue(t, "before-the-deletion", 20)
	s.beginLoad(t, service, "github")
	old := s.only(t)
	must(t, s.client.Delete(t.Context(), &old))
	must(t, kube.Until(t.Context(), "another receiver pod", patience, func(context.Context) error {
		pods := s.receivers(t, "default")
		if len(pods) != 1 || pods[0].UID == old.UID {
			return errors.New("the old pod is still there")
		}
		return ready(pods[0])
	}))
	ids = append(ids, s.endLoad(t)...)
	s.answer(t, "204")
	s.arrived(t, ids)
	s.await(t, "WebhookReceiver", systemNamespace, "default", "Ready", "True")
}

// podKilled ends all processes of the receiver's pod at once, its store and its
// sandbox included.
func (s *suite) podKilled(t *testing.T) {
	pod := s.only(t)
	values := []string{"${E2E_IMG}", os.Getenv("E2E_IMG"), "${NODE}", pod.Spec.NodeName}
	s.apply(t, "node.yaml", values...)
	agent := kube.Object("v1", "Pod", nodeNamespace, "agent")
	must(t, kube.AwaitCondition(t.Context(), s.client, agent, "Ready", "True", patience))
	s.answer(t, "503")
	ids := s.queue(t, "before-the-kill", 20)
	s.beginLoad(t, service, "github")
	begun := restarts(pod)
	data, err := s.agentIn(nodeNamespace, "POST", "kill").Param("pod", string(pod.UID)).DoRaw(t.Context())
	must(t, err)
	var killed int
	must(t, json.Unmarshal(data, &killed))
	if killed < 2 {
		t.Errorf("%d processes were killed, want at least receiver and store", killed)
	}
	must(t, kube.Until(t.Context(), "the killed pod", patience, func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(&pod), &pod); err != nil {
			return err
		}
		if restarts(pod) < begun+2 {
			return fmt.Errorf("%d containers have started again", restarts(pod)-begun)
		}
		return ready(pod)
	}))
	ids = append(ids, s.endLoad(t)...)
	s.answer(t, "204")
	s.arrived(t, ids)
	s.remove(t, "node.yaml", values...)
}

// rollingUpdate replaces two receivers on a store of their own under load, and
// no request is refused.
func (s *suite) rollingUpdate(t *testing.T) {
	const (
		name = "wide"
		wide = "http://postern-receiver-wide.postern-system.svc.cluster.local"
	)
	values := []string{"${REDIS_IMG}", os.Getenv("REDIS_IMG")}
	s.apply(t, "store.yaml", values...)
	s.apply(t, "wide.yaml", "${COLOUR}", "blue")
	s.await(t, "WebhookReceiver", systemNamespace, name, "Ready", "True")
	before := s.receivers(t, name)
	s.reachable(t, wide)
	s.beginLoad(t, wide, "github")
	s.apply(t, "wide.yaml", "${COLOUR}", "green")
	s.await(t, "WebhookReceiver", systemNamespace, name, "Ready", "True")
	for _, old := range before {
		must(t, kube.AwaitGone(t.Context(), s.client, kube.Object("v1", "Pod", systemNamespace, old.Name), patience))
	}
	loaded := s.endLoadOf(t)
	if len(loaded.Refused) > 0 {
		t.Errorf("requests were refused during a rolling update: %v", loaded.Refused)
	}
	s.arrived(t, loaded.Acknowledged)
	s.remove(t, "wide.yaml", "${COLOUR}", "green")
	s.remove(t, "store.yaml", values...)
}

// reachable waits until the node knows of a Service's ready pods, which is a
// moment after the API server does.
func (s *suite) reachable(t *testing.T, url string) {
	t.Helper()
	must(t, kube.Until(t.Context(), "the Service", patience, func(context.Context) error {
		if got := s.post(t, url+"/"+github, "github", s.secret, "reachable"); got.Code != 200 {
			return fmt.Errorf("it answers %+v", got)
		}
		return nil
	}))
}

// only is the one pod of the WebhookReceiver "default".
func (s *suite) only(t *testing.T) corev1.Pod {
	t.Helper()
	pods := s.receivers(t, "default")
	if len(pods) != 1 {
		t.Fatalf("%d receiver pods, want 1", len(pods))
	}
	return pods[0]
}

func ready(pod corev1.Pod) error {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
			return nil
		}
	}
	return fmt.Errorf("pod %s is not ready", pod.Name)
}

// restarts counts those of all containers.
func restarts(pod corev1.Pod) int32 {
	var count int32
	for _, container := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		count += container.RestartCount
	}
	return count
}
