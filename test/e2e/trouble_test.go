//go:build e2e

package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
)

// trouble makes WebhookReceivers that cannot serve, each for a reason of its own.
// Each says which, and the one that serves goes on.
func (s *suite) trouble(t *testing.T) {
	redis := []string{"${REDIS_IMG}", os.Getenv("REDIS_IMG")}
	s.apply(t, "store.yaml", redis...)
	expired := expiredPair(t)
	must(t, s.client.Create(t.Context(), expired))
	s.apply(t, "trouble.yaml", redis...)
	for name, want := range map[string][2]string{
		"no-class":  {"VolumePending", `StorageClass "nonesuch"`},
		"no-image":  {"ImagePullFailed", "postern:nonesuch"},
		"no-secret": {"SecretNotFound", `Secret "nonesuch" does not exist`},
		"away":      {"StoreUnavailable", "store"},
		"stranger":  {"StoreUnavailable", "WRONGPASS"},
		"expired":   {"CertificateExpired", "renew it"},
	} {
		s.awaitReason(t, name, want[0], want[1])
	}
	s.delivered(t, s.accept(t, "despite-the-trouble"))

	s.remove(t, "trouble.yaml", redis...)
	claim := kube.Object("v1", "PersistentVolumeClaim", systemNamespace, "postern-store-no-class")
	must(t, s.client.Delete(t.Context(), claim))
	must(t, s.client.Delete(t.Context(), expired))
}

// awaitReason waits until a WebhookReceiver is not Ready for the reason.
func (s *suite) awaitReason(t *testing.T, name, reason, message string) {
	t.Helper()
	receiver := kube.Object(apiVersion, "WebhookReceiver", systemNamespace, name)
	must(t, kube.Until(t.Context(), "Ready of "+name, patience, func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(receiver), receiver); err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(receiver.Object, "status", "conditions")
		for _, condition := range conditions {
			state, _ := condition.(map[string]any)
			if state["type"] != "Ready" {
				continue
			}
			text, _ := state["message"].(string)
			if strings.Contains(text, "canary-password") {
				t.Errorf("%s tells a password: %s", name, text)
			}
			if state["status"] == "False" && state["reason"] == reason && strings.Contains(text, message) {
				return nil
			}
		}
		return fmt.Errorf("want %s with %q; its conditions are %v", reason, message, conditions)
	}))
}

// expiredPair is a Secret with a certificate of yesterday.
func expiredPair(t *testing.T) *corev1.Secret {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"hooks.example.com"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: systemNamespace, Name: "expired"},
		Type:       corev1.SecretTypeTLS,
		Data: map[string][]byte{
			corev1.TLSCertKey:       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
			corev1.TLSPrivateKeyKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		},
	}
}
