//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
)

// replay has a target say that it is gone for good, which it is not: what died
// of it is seen in the status and replayed by the tenant.
func (s *suite) replay(t *testing.T) {
	const count = 3
	s.answer(t, "410")
	ids := s.queue(t, "gone", count)
	s.statusTells(t, "dead", count)
	s.answer(t, "204")
	s.apply(t, "replay.yaml")
	s.await(t, "WebhookReplay", namespace, "after-the-outage", "Complete", "True")
	replay := kube.Object(apiVersion, "WebhookReplay", namespace, "after-the-outage")
	must(t, s.client.Get(t.Context(), client.ObjectKeyFromObject(replay), replay))
	for _, counter := range []string{"matched", "replayed"} {
		if got, _, err := unstructured.NestedInt64(replay.Object, "status", counter); err != nil || got != count {
			t.Errorf("status.%s is %d (%v), want %d", counter, got, err, count)
		}
	}
	s.delivered(t, ids...)
	for _, id := range ids {
		if got := s.events(t)[id][0].Header.Get("Postern-Replay"); got != "true" {
			t.Errorf("Postern-Replay of event %s is %q", id, got)
		}
	}
	s.statusTells(t, "dead", 0)
	s.remove(t, "replay.yaml")
}

// statusTells waits until the endpoint's status has the count.
func (s *suite) statusTells(t *testing.T, counter string, want int64) {
	t.Helper()
	must(t, kube.Until(t.Context(), fmt.Sprintf("status.traffic.%s is %d", counter, want), patience,
		func(ctx context.Context) error {
			endpoint := kube.Object(apiVersion, "WebhookEndpoint", namespace, "github")
			if err := s.client.Get(ctx, client.ObjectKeyFromObject(endpoint), endpoint); err != nil {
				return err
			}
			got, found, err := unstructured.NestedInt64(endpoint.Object, "status", "traffic", counter)
			if err != nil {
				return err
			}
			if !found || got != want {
				return fmt.Errorf("it is %d", got)
			}
			return nil
		}))
}
