// Package apply is the one writer of Kubernetes objects besides status: it
// applies what pure code built, by server-side apply with one field owner, and
// removes what is no longer wanted.
//
// It imports controllers/meta and knows nothing of this project's kinds.
package apply

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/controllers/meta"
)

// Writer applies objects. It refuses to touch objects that Postern did not make.
type Writer struct {
	client client.Client
	live   client.Reader
}

// NewWriter returns a Writer. The live reader must not be a cache: a cache that
// is filtered by label does not see the very objects that must not be touched.
func NewWriter(c client.Client, live client.Reader) *Writer {
	return &Writer{client: c, live: live}
}

// ForeignError says that an object of a wanted name belongs to somebody else.
type ForeignError struct {
	Kind      string
	Namespace string
	Name      string
}

// Error names the object and the two ways out.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("%s %s/%s exists and is not Postern's: delete or rename it, or label it %s=%s to hand it over",
		e.Kind, e.Namespace, e.Name, meta.LabelManagedBy, meta.ManagedByPostern)
}

// described is what every generated apply configuration can tell of itself.
type described interface {
	GetAPIVersion() *string
	GetKind() *string
	GetName() *string
	GetNamespace() *string
}

// Apply creates the object or makes it as described; fields that others own and
// the description does not mention stay.
func (w *Writer) Apply(ctx context.Context, object runtime.ApplyConfiguration) error {
	existing, err := target(object)
	if err != nil {
		return err
	}
	key, kind := client.ObjectKeyFromObject(existing), existing.Kind
	switch err := w.live.Get(ctx, key, existing); {
	case apierrors.IsNotFound(err):
	case err != nil:
		return fmt.Errorf("get %s %s: %w", kind, key, err)
	case !owned(existing):
		return &ForeignError{Kind: kind, Namespace: key.Namespace, Name: key.Name}
	}
	if err := w.client.Apply(ctx, object, client.FieldOwner(meta.FieldOwner), client.ForceOwnership); err != nil {
		return fmt.Errorf("apply %s %s: %w", kind, key, err)
	}
	return nil
}

// ApplyAll applies the objects in order. One that fails does not keep the
// others back; all errors are returned.
func (w *Writer) ApplyAll(ctx context.Context, objects []runtime.ApplyConfiguration) error {
	var errs []error
	for _, object := range objects {
		errs = append(errs, w.Apply(ctx, object))
	}
	return errors.Join(errs...)
}

// Delete removes an object if it is Postern's; one that is gone already or
// somebody else's is left as it is.
func (w *Writer) Delete(ctx context.Context, object client.Object) error {
	if !owned(object) {
		return nil
	}
	uid := object.GetUID()
	err := w.client.Delete(ctx, object, client.Preconditions{UID: &uid})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete %T %s: %w", object, client.ObjectKeyFromObject(object), err)
	}
	return nil
}

func target(object runtime.ApplyConfiguration) (*metav1.PartialObjectMetadata, error) {
	d, ok := object.(described)
	if !ok || d.GetAPIVersion() == nil || d.GetKind() == nil || d.GetName() == nil || d.GetNamespace() == nil {
		return nil, fmt.Errorf("%T does not name its kind, namespace and name", object)
	}
	existing := &metav1.PartialObjectMetadata{}
	existing.SetGroupVersionKind(schema.FromAPIVersionAndKind(*d.GetAPIVersion(), *d.GetKind()))
	existing.SetNamespace(*d.GetNamespace())
	existing.SetName(*d.GetName())
	return existing, nil
}

// owned says whether Postern made the object. The label alone would not do:
// somebody who removes it by hand must not stop the controllers from putting
// it back.
func owned(object client.Object) bool {
	if object.GetLabels()[meta.LabelManagedBy] == meta.ManagedByPostern {
		return true
	}
	for _, entry := range object.GetManagedFields() {
		if entry.Manager == meta.FieldOwner && entry.Operation == metav1.ManagedFieldsOperationApply {
			return true
		}
	}
	return false
}
