package ranges

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/meta"
)

// SecretStore keeps lists in a Secret of the system namespace. They are not
// secret, but a Secret is the one kind of plain data that Postern writes.
type SecretStore struct {
	// Live reads from the API server, Writer applies.
	Live   client.Reader
	Writer *apply.Writer
	// Owner is what the Secret is removed with.
	Owner apply.Owner
	// Namespace is the system namespace.
	Namespace string
}

// Load returns the kept lists; none when nothing was kept yet.
func (s SecretStore) Load(ctx context.Context) (map[string]Published, error) {
	var secret corev1.Secret
	err := s.Live.Get(ctx, client.ObjectKey{Namespace: s.Namespace, Name: meta.RangesName}, &secret)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get Secret %s/%s: %w", s.Namespace, meta.RangesName, err)
	}
	lists := map[string]Published{}
	if err := json.Unmarshal(secret.Data[meta.RangesKey], &lists); err != nil {
		// Whatever it is, it can be fetched again.
		return nil, nil //nolint:nilerr // see above
	}
	return lists, nil
}

// Save keeps the lists.
func (s SecretStore) Save(ctx context.Context, lists map[string]Published) error {
	data, err := json.Marshal(lists)
	if err != nil {
		return fmt.Errorf("encode address ranges: %w", err)
	}
	owners, err := s.Owner.References(ctx)
	if err != nil {
		return err
	}
	return s.Writer.Apply(ctx, corev1ac.Secret(meta.RangesName, s.Namespace).
		WithLabels(meta.ManagedBy()).
		WithOwnerReferences(owners...).
		WithType(corev1.SecretTypeOpaque).
		WithData(map[string][]byte{meta.RangesKey: data}))
}
