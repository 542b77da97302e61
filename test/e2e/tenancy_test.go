//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
)

const tenantSecret = "e2e-shop-secret"

// consent lets an endpoint deliver to another namespace's Service, as long as
// that namespace agrees and no longer, and no event that waits is lost by it.
func (s *suite) consent(t *testing.T) {
	remove := s.installGrants(t)
	s.apply(t, "tenant.yaml")
	s.await(t, "WebhookEndpoint", tenant, "orders", "TargetsResolved", "False")
	if got := s.send(t, tenant+"/orders", "github", tenantSecret, "unasked"); got.Code != 503 || got.Error != "no_target" {
		t.Errorf("without consent: %+v, want 503 no_target", got)
	}
	s.apply(t, "grant.yaml")
	s.await(t, "WebhookEndpoint", tenant, "orders", "Ready", "True")
	first := s.order(t, "agreed")
	s.delivered(t, first)

	s.answer(t, "503")
	second := s.order(t, "before-the-revocation")
	s.remove(t, "grant.yaml")
	s.await(t, "WebhookEndpoint", tenant, "orders", "TargetsResolved", "False")
	s.answer(t, "204")
	s.delivered(t, s.accept(t, "after-the-revocation")) // the target takes events again
	if got := s.send(t, tenant+"/orders", "github", tenantSecret, "revoked"); got.Code != 503 || got.Error != "no_target" {
		t.Errorf("after the revocation: %+v, want 503 no_target", got)
	}
	if n := len(s.events(t)[second]); n != 0 {
		t.Error("an event was delivered after its consent was revoked")
	}
	s.apply(t, "grant.yaml")
	s.await(t, "WebhookEndpoint", tenant, "orders", "Ready", "True")
	s.delivered(t, second)

	// A namespace takes its endpoints along, events that wait included.
	s.answer(t, "503")
	s.order(t, "before-the-end")
	s.delete(t, "v1", "Namespace", tenant)
	s.answer(t, "204")
	s.remove(t, "grant.yaml")
	remove()
}

func (s *suite) order(t *testing.T, id string) string {
	t.Helper()
	answer := s.send(t, tenant+"/orders", "github", tenantSecret, id)
	if answer.Code != 200 || answer.Status != "accepted" {
		t.Fatalf("order %s: the receiver answered %+v, want 200 accepted", id, answer)
	}
	return answer.ID
}

// installGrants installs the ReferenceGrant CRD as the Gateway API ships it,
// where the cluster has none.
func (s *suite) installGrants(t *testing.T) (remove func()) {
	t.Helper()
	const name = "referencegrants.gateway.networking.k8s.io"
	definition := kube.Object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name)
	err := s.client.Get(t.Context(), client.ObjectKeyFromObject(definition), definition)
	if err == nil {
		return func() {}
	}
	if !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api")
	command.Dir = root
	module, err := command.Output()
	must(t, err)
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(module)),
		"config", "crd", "standard", "gateway.networking.k8s.io_referencegrants.yaml"))
	must(t, err)
	_, err = kube.Apply(t.Context(), s.client, data)
	must(t, err)
	must(t, kube.AwaitCondition(t.Context(), s.client, definition, "Established", "True", patience))
	return func() { must(t, kube.Delete(t.Context(), s.client, data, patience)) }
}

// pathConflict: who came first keeps the path.
func (s *suite) pathConflict(t *testing.T) {
	s.apply(t, "conflict.yaml")
	s.await(t, "WebhookEndpoint", namespace, "squatter", "Accepted", "False")
	s.accept(t, "despite-the-squatter")
	s.remove(t, "conflict.yaml")
}

func (s *suite) rotation(t *testing.T) {
	old := s.secret
	s.secret = "rotated-" + old
	s.apply(t, "endpoints.yaml", "${GITHUB_SECRET}", s.secret)
	must(t, kube.Until(t.Context(), "the new secret to work", patience, func(context.Context) error {
		if got := s.send(t, github, "github", s.secret, "rotation"); got.Code != 200 {
			return fmt.Errorf("the receiver answers %+v", got)
		}
		return nil
	}))
	if got := s.send(t, github, "github", old, "old-secret"); got.Error != "signature_mismatch" {
		t.Errorf("old secret: %+v, want signature_mismatch", got)
	}
	s.await(t, "WebhookEndpoint", namespace, "github", "Ready", "True")
}
