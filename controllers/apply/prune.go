package apply

import (
	"context"
	"errors"
	"fmt"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/postern-dev/postern/controllers/meta"
)

// Prune deletes the objects of the listed kinds that carry the labels in the
// namespace and are not among the wanted: leftovers of an earlier spec or
// release. Only lists of the kinds that are given are looked at.
func (w *Writer) Prune(
	ctx context.Context, namespace string, labels map[string]string,
	wanted []runtime.ApplyConfiguration, kinds ...client.ObjectList,
) error {
	keep := map[string]bool{}
	for _, object := range wanted {
		existing, err := target(object)
		if err != nil {
			return err
		}
		keep[existing.Kind+"/"+existing.Name] = true
	}
	var errs []error
	for _, list := range kinds {
		errs = append(errs, w.pruneKind(ctx, namespace, labels, keep, list))
	}
	return errors.Join(errs...)
}

func (w *Writer) pruneKind(
	ctx context.Context, namespace string, labels map[string]string, keep map[string]bool, list client.ObjectList,
) error {
	selector := client.MatchingLabels{meta.LabelManagedBy: meta.ManagedByPostern}
	for key, value := range labels {
		selector[key] = value
	}
	if err := w.client.List(ctx, list, client.InNamespace(namespace), selector); err != nil {
		return fmt.Errorf("list %T in %s: %w", list, namespace, err)
	}
	return apimeta.EachListItem(list, func(item runtime.Object) error {
		object, ok := item.(client.Object)
		if !ok {
			return fmt.Errorf("%T is not an object", item)
		}
		gvk, err := apiutil.GVKForObject(object, w.client.Scheme())
		if err != nil {
			return err
		}
		if keep[gvk.Kind+"/"+object.GetName()] {
			return nil
		}
		return w.Delete(ctx, object)
	})
}
