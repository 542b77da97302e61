package fleet

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/status"
)

// certificate judges the certificate that receivers serve with; nil without
// `tls`, and while its Secret is missing, which is told by the pods' trouble.
func (r *Reconciler) certificate(
	ctx context.Context, receiver *v1alpha1.WebhookReceiver,
) (*status.Certificate, error) {
	name := receiver.Spec.TLS.SecretName
	if name == "" {
		return nil, nil //nolint:nilnil // no certificate is an answer
	}
	var secret corev1.Secret
	err := r.Live.Get(ctx, client.ObjectKey{Namespace: receiver.Namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // see above
	}
	if err != nil {
		return nil, fmt.Errorf("get Secret %s: %w", name, err)
	}
	return judgeCertificate(name, secret.Data[corev1.TLSCertKey], r.Clock.Now()), nil
}

// judgeCertificate looks at the first certificate, which is the server's own.
func judgeCertificate(secret string, chain []byte, now time.Time) *status.Certificate {
	trouble := func(reason, format string, args ...any) *status.Certificate {
		return &status.Certificate{Trouble: &status.Finding{
			Reason: reason, Message: fmt.Sprintf("`tls.secretName`: Secret %q: ", secret) + fmt.Sprintf(format, args...),
		}}
	}
	block, _ := pem.Decode(chain)
	if block == nil {
		return trouble(v1alpha1.ReasonCertificateInvalid, "its key %s has no certificate in PEM: write the chain there, "+
			"the server's first", corev1.TLSCertKey)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil:
		return trouble(v1alpha1.ReasonCertificateInvalid, "its certificate cannot be read: %v", err)
	case now.Before(certificate.NotBefore):
		return trouble(v1alpha1.ReasonCertificateInvalid, "its certificate is not valid before %s: check the clocks",
			certificate.NotBefore.UTC().Format(time.RFC3339))
	case !now.Before(certificate.NotAfter):
		return trouble(v1alpha1.ReasonCertificateExpired, "its certificate expired at %s, and providers refuse it: "+
			"renew it; receivers take the new one without a restart", certificate.NotAfter.UTC().Format(time.RFC3339))
	}
	return &status.Certificate{NotAfter: certificate.NotAfter}
}
