package apply

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Owner is the ServiceAccount that stands for the installation: what it owns is
// removed with it. It is not the manager's Deployment, because receivers must
// outlive that.
type Owner struct {
	// Reader reads the ServiceAccount.
	Reader client.Reader
	// Namespace is the system namespace; an empty Account owns nothing.
	Namespace, Account string
}

// Reference returns the owner reference, or nil when nobody owns. It is read
// anew each time: one to an account that is gone would have the object removed.
func (o Owner) Reference(ctx context.Context) (*metav1.OwnerReference, error) {
	if o.Account == "" {
		return nil, nil //nolint:nilnil // no owner is an answer
	}
	var account corev1.ServiceAccount
	key := client.ObjectKey{Namespace: o.Namespace, Name: o.Account}
	if err := o.Reader.Get(ctx, key, &account); err != nil {
		return nil, fmt.Errorf("get the installation's ServiceAccount %s: %w", key, err)
	}
	return &metav1.OwnerReference{APIVersion: "v1", Kind: "ServiceAccount", Name: account.Name, UID: account.UID}, nil
}

// References is [Owner.Reference] as the builders of objects take it.
func (o Owner) References(ctx context.Context) ([]*metav1ac.OwnerReferenceApplyConfiguration, error) {
	reference, err := o.Reference(ctx)
	if err != nil || reference == nil {
		return nil, err
	}
	return []*metav1ac.OwnerReferenceApplyConfiguration{metav1ac.OwnerReference().
		WithAPIVersion(reference.APIVersion).WithKind(reference.Kind).
		WithName(reference.Name).WithUID(reference.UID)}, nil
}
