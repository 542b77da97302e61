//go:build e2e

package e2e

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
)

const stripeSecret = "whsec_ZTJlLXRlc3Qtc2VjcmV0"

func (s *suite) eventsAreDelivered(t *testing.T) {
	id := s.accept(t, "delivered")
	other := s.send(t, stripe, "stripe", stripeSecret, "evt_e2e")
	if other.Status != "accepted" {
		t.Fatalf("stripe: %+v, want accepted", other)
	}
	s.delivered(t, id, other.ID)
	if got := s.events(t)[id][0].Path; got != "/hooks" {
		t.Errorf("delivered to %s, want /hooks", got)
	}
}

func (s *suite) forgedAndRepeated(t *testing.T) {
	if got := s.send(t, github, "github", "a guess", "forged"); got.Code != 401 || got.Error != "signature_mismatch" {
		t.Errorf("forged: %+v, want 401 signature_mismatch", got)
	}
	first := s.accept(t, "repeated")
	if got := s.send(t, github, "github", s.secret, "repeated"); got.Status != "duplicate" || got.ID != first {
		t.Errorf("repeated: %+v, want duplicate of %s", got, first)
	}
	s.delivered(t, first)
}

func (s *suite) suspend(t *testing.T) {
	s.patch(t, `{"spec":{"suspend":true}}`)
	s.await(t, "WebhookEndpoint", namespace, "github", "Ready", "True")
	id := s.accept(t, "while-suspended")
	other := s.send(t, stripe, "stripe", stripeSecret, "evt_meanwhile")
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

func (s *suite) patch(t *testing.T, patch string) {
	t.Helper()
	o := kube.Object(apiVersion, "WebhookEndpoint", namespace, "github")
	must(t, s.client.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", []byte(patch))))
}
