//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
)

func (s *suite) deploy(t *testing.T) {
	_, err := kube.Apply(t.Context(), s.client, installManifest(t))
	must(t, err)
	for _, name := range []string{"webhookendpoints", "webhookreceivers"} {
		crd := kube.Object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name+".hooks.postern.dev")
		must(t, kube.AwaitCondition(t.Context(), s.client, crd, "Established", "True", patience))
	}
	persistence := `{type: PVC, size: 64Mi}`
	if class := os.Getenv("E2E_STORAGE_CLASS"); class != "" {
		persistence = fmt.Sprintf(`{type: PVC, size: 64Mi, storageClassName: %s}`, class)
	}
	s.apply(t, "receiver.yaml", "${REDIS_IMG}", os.Getenv("REDIS_IMG"), "${PERSISTENCE}", persistence)
	s.apply(t, "agent.yaml", "${E2E_IMG}", os.Getenv("E2E_IMG"))
	agent := kube.Object("v1", "Pod", namespace, "agent")
	must(t, kube.AwaitCondition(t.Context(), s.client, agent, "Ready", "True", patience))
	s.await(t, "WebhookReceiver", systemNamespace, "default", "Ready", "True")
	s.apply(t, "endpoints.yaml", "${GITHUB_SECRET}", s.secret)
	s.await(t, "WebhookEndpoint", namespace, "github", "Ready", "True")
	s.await(t, "WebhookEndpoint", namespace, "stripe", "Ready", "True")
	s.accept(t, "first-after-ready") // Ready must mean that the very next request works
}

// podsAreRestricted asks the API server whether the namespace enforces the
// restricted standard, and that every pod was admitted under it.
func (s *suite) podsAreRestricted(t *testing.T) {
	var system corev1.Namespace
	must(t, s.client.Get(t.Context(), client.ObjectKey{Name: systemNamespace}, &system))
	if got := system.Labels["pod-security.kubernetes.io/enforce"]; got != "restricted" {
		t.Errorf("namespace %s enforces %q, want restricted", systemNamespace, got)
	}
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

func (s *suite) eventsAreDelivered(t *testing.T) {
	github := s.accept(t, "delivered")
	stripe := s.send(t, "stripe", "whsec_ZTJlLXRlc3Qtc2VjcmV0", "evt_e2e")
	if stripe.Status != "accepted" {
		t.Fatalf("stripe: %+v, want accepted", stripe)
	}
	s.delivered(t, github, stripe.ID)
	if got := s.events(t)[github][0].Path; got != "/hooks" {
		t.Errorf("delivered to %s, want /hooks", got)
	}
}

func (s *suite) forgedAndRepeated(t *testing.T) {
	if got := s.send(t, "github", "a guess", "forged"); got.Code != 401 || got.Error != "signature_mismatch" {
		t.Errorf("forged: %+v, want 401 signature_mismatch", got)
	}
	first := s.accept(t, "repeated")
	if got := s.send(t, "github", s.secret, "repeated"); got.Status != "duplicate" || got.ID != first {
		t.Errorf("repeated: %+v, want duplicate of %s", got, first)
	}
	s.delivered(t, first)
}

func (s *suite) rotation(t *testing.T) {
	old := s.secret
	s.secret = "rotated-" + old
	begin := time.Now()
	s.apply(t, "endpoints.yaml", "${GITHUB_SECRET}", s.secret)
	must(t, kube.Until(t.Context(), "the new secret to work", patience, func(context.Context) error {
		if got := s.send(t, "github", s.secret, "rotation"); got.Code != 200 {
			return fmt.Errorf("the receiver answers %+v", got)
		}
		return nil
	}))
	t.Logf("the new secret worked after %s", time.Since(begin).Round(time.Millisecond))
	if got := s.send(t, "github", old, "old-secret"); got.Error != "signature_mismatch" {
		t.Errorf("old secret: %+v, want signature_mismatch", got)
	}
	s.await(t, "WebhookEndpoint", namespace, "github", "Ready", "True")
}

func (s *suite) pathConflict(t *testing.T) {
	s.apply(t, "conflict.yaml")
	s.await(t, "WebhookEndpoint", namespace, "squatter", "Accepted", "False")
	s.accept(t, "despite-the-squatter")
	squatter := kube.Object(apiVersion, "WebhookEndpoint", namespace, "squatter")
	must(t, s.client.Delete(t.Context(), squatter))
	must(t, kube.AwaitGone(t.Context(), s.client, squatter, patience))
}

func (s *suite) suspend(t *testing.T) {
	s.patch(t, `{"spec":{"suspend":true}}`)
	s.await(t, "WebhookEndpoint", namespace, "github", "Ready", "True")
	id := s.accept(t, "while-suspended")
	other := s.send(t, "stripe", "whsec_ZTJlLXRlc3Qtc2VjcmV0", "evt_meanwhile")
	s.delivered(t, other.ID)
	if n := len(s.events(t)[id]); n != 0 {
		t.Errorf("a suspended endpoint delivered")
	}
	s.patch(t, `{"spec":{"suspend":false}}`)
	s.delivered(t, id)
	s.await(t, "WebhookEndpoint", namespace, "github", "Ready", "True")
}

func (s *suite) targetOutage(t *testing.T) {
	s.answer(t, "503")
	id := s.accept(t, "during-the-outage")
	if n := len(s.events(t)[id]); n != 0 {
		t.Errorf("a target that refuses has got the event")
	}
	s.answer(t, "204")
	s.delivered(t, id)
}

// receiverPodDeleted deletes the receiver's pod while events wait for a target
// that refuses them.
func (s *suite) receiverPodDeleted(t *testing.T) {
	s.answer(t, "503")
	var ids []string
	for i := range 20 {
		ids = append(ids, s.accept(t, fmt.Sprintf("queued-%d", i)))
	}
	var pods corev1.PodList
	must(t, s.client.List(t.Context(), &pods, client.InNamespace(systemNamespace),
		client.MatchingLabels{"app.kubernetes.io/component": "receiver"}))
	if len(pods.Items) != 1 {
		t.Fatalf("%d receiver pods, want 1", len(pods.Items))
	}
	must(t, s.client.Delete(t.Context(), &pods.Items[0]))
	must(t, kube.Until(t.Context(), "another receiver pod", patience, func(ctx context.Context) error {
		var now corev1.PodList
		if err := s.client.List(ctx, &now, client.InNamespace(systemNamespace),
			client.MatchingLabels{"app.kubernetes.io/component": "receiver"}); err != nil {
			return err
		}
		if len(now.Items) != 1 || now.Items[0].UID == pods.Items[0].UID {
			return errors.New("the old pod is still there")
		}
		return nil
	}))
	s.answer(t, "204")
	s.delivered(t, ids...)
	s.await(t, "WebhookReceiver", systemNamespace, "default", "Ready", "True")
}

func (s *suite) patch(t *testing.T, patch string) {
	t.Helper()
	o := kube.Object(apiVersion, "WebhookEndpoint", namespace, "github")
	must(t, s.client.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", []byte(patch))))
}
