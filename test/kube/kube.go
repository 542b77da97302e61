// Package kube drives a real API server for the demo and the end-to-end tests:
// applying manifests as kubectl does, and waiting with a deadline.
//
// It imports Kubernetes clients only and knows nothing of Postern.
package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// fieldOwner is kubectl's own, so that people can go on with kubectl.
const fieldOwner = client.FieldOwner("kubectl")

// Object is an empty object of a kind, to get, wait for or delete.
func Object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

// Decode reads the documents of a manifest.
func Decode(manifest []byte) ([]*unstructured.Unstructured, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	var objects []*unstructured.Unstructured
	for {
		var content map[string]any
		if err := decoder.Decode(&content); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, fmt.Errorf("decode document %d of the manifest: %w", len(objects)+1, err)
		}
		if len(content) > 0 {
			objects = append(objects, &unstructured.Unstructured{Object: content})
		}
	}
}

// Apply does what `kubectl apply --server-side` does and returns the number of
// objects.
func Apply(ctx context.Context, c client.Client, manifest []byte) (int, error) {
	objects, err := Decode(manifest)
	if err != nil {
		return 0, err
	}
	for _, o := range objects {
		err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), fieldOwner, client.ForceOwnership)
		if err != nil {
			return 0, fmt.Errorf("apply %s %s: %w", o.GetKind(), client.ObjectKeyFromObject(o), err)
		}
	}
	return len(objects), nil
}

// Delete removes the objects of a manifest, the last first, and waits until they
// are gone.
func Delete(ctx context.Context, c client.Client, manifest []byte, patience time.Duration) error {
	objects, err := Decode(manifest)
	if err != nil {
		return err
	}
	slices.Reverse(objects)
	for _, o := range objects {
		if err := client.IgnoreNotFound(c.Delete(ctx, o)); err != nil {
			return fmt.Errorf("delete %s %s: %w", o.GetKind(), client.ObjectKeyFromObject(o), err)
		}
	}
	for _, o := range objects {
		if err := AwaitGone(ctx, c, o, patience); err != nil {
			return err
		}
	}
	return nil
}

// AwaitGone waits until an object does not exist.
func AwaitGone(ctx context.Context, c client.Client, o *unstructured.Unstructured, patience time.Duration) error {
	what := fmt.Sprintf("%s %s to be gone", o.GetKind(), client.ObjectKeyFromObject(o))
	return Until(ctx, what, patience, func(ctx context.Context) error {
		err := c.Get(ctx, client.ObjectKeyFromObject(o), o)
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		}
		return fmt.Errorf("it exists, with finalizers %v", o.GetFinalizers())
	})
}

// AwaitCondition waits until a condition has a status for the newest generation.
func AwaitCondition(
	ctx context.Context, c client.Client, o *unstructured.Unstructured, condition, status string, patience time.Duration,
) error {
	what := fmt.Sprintf("%s %s to be %s=%s", o.GetKind(), client.ObjectKeyFromObject(o), condition, status)
	return Until(ctx, what, patience, func(ctx context.Context) error {
		if err := c.Get(ctx, client.ObjectKeyFromObject(o), o); err != nil {
			return err
		}
		var states []string
		items, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
		for _, item := range items {
			state, _ := item.(map[string]any)
			states = append(states, fmt.Sprintf("%v=%v (%v: %v)",
				state["type"], state["status"], state["reason"], state["message"]))
			observed, has := state["observedGeneration"].(int64)
			current := !has || observed == o.GetGeneration()
			if state["type"] == condition && state["status"] == status && current {
				return nil
			}
		}
		return fmt.Errorf("its conditions are %v", states)
	})
}

// Until calls check until it returns nil, and gives its last error when time is up.
func Until(ctx context.Context, what string, patience time.Duration, check func(context.Context) error) error {
	// A check may run a little longer than the wait, so that the last error is its
	// own and not that of a deadline.
	ctx, cancel := context.WithTimeout(ctx, patience+5*time.Second)
	defer cancel()
	end := time.NewTimer(patience)
	defer end.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		case <-end.C:
			return fmt.Errorf("%s: gave up after %s: %w", what, patience, err)
		case <-tick.C:
		}
	}
}
