package events_test

import (
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/postern-dev/postern/cli/clitest"
	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
)

// TestPortForward goes as far as an API server without nodes lets it: to the
// pod that would be connected.
func TestPortForward(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs an API server")
	}
	cluster, stop, err := controltest.Start(scheme.Scheme)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stop() })
	namespace := cluster.Namespace(t)
	line := []string{
		"events", "list", "--kubeconfig", cluster.Kubeconfig(t), "--system-namespace", namespace,
	}
	expect := func(want string) {
		t.Helper()
		got := clitest.Run(t, line...)
		if got.Status != exit.Failure || !strings.Contains(got.Stderr, want) ||
			!strings.Contains(got.Stderr, "--internal-url") {
			t.Errorf("status %d, standard error %q; want an error about %q", got.Status, got.Stderr, want)
		}
	}
	expect(`no pod of the receiver "default" is ready (0 found`)

	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: "postern-receiver-0", Namespace: namespace, Labels: meta.ReceiverSelector("default"),
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "receiver", Image: "postern"}}},
	}
	cluster.Create(t, pod)
	expect("is ready (1 found")
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	if err := cluster.Client.Status().Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	expect("forward a port to pod postern-receiver-0")
}

func TestUnreadableKubeconfig(t *testing.T) {
	t.Parallel()
	got := clitest.Run(t, "events", "list", "--kubeconfig", filepath.Join(t.TempDir(), "none"))
	if got.Status != exit.Failure || !strings.Contains(got.Stderr, "kubeconfig") {
		t.Errorf("status %d, standard error %q; want an error about the file", got.Status, got.Stderr)
	}
}
