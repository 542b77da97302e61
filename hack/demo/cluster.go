package main

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

//go:embed manifests/*.yaml
var manifests embed.FS

const systemNamespace = "postern-system"

func (s *stage) startControlPlane(context.Context) error {
	headline("A control plane of our own")
	s.begin()
	s.env = &envtest.Environment{BinaryAssetsDirectory: s.assets, UseExistingCluster: new(bool)}
	s.undo = append(s.undo, func() { _ = s.env.Stop() })
	config, err := s.env.Start()
	if err != nil {
		return fmt.Errorf("start kube-apiserver and etcd of %s: %w", s.assets, err)
	}
	if s.admin, err = client.New(config, client.Options{}); err != nil {
		return err
	}
	if _, err := s.userConfig("admin.kubeconfig", "admin", "system:masters"); err != nil {
		return err
	}
	s.shown("kube-apiserver and etcd serve at %s", config.Host)
	return nil
}

func (s *stage) install(ctx context.Context) error {
	s.begin()
	data, err := os.ReadFile(s.options.install)
	if err != nil {
		return fmt.Errorf("%w: run `make installer`", err)
	}
	count, err := s.apply(ctx, data)
	if err != nil {
		return err
	}
	for _, name := range []string{"webhookendpoints", "webhookreceivers"} {
		crd := object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name+".hooks.postern.dev")
		if err := s.awaitCondition(ctx, crd, "Established"); err != nil {
			return err
		}
	}
	s.shown("installed the CRDs and the permissions, %d objects", count)
	return nil
}

// applyManifest applies one of the demo's own files, values filled in.
func (s *stage) applyManifest(ctx context.Context, name string, values ...string) error {
	data, err := manifests.ReadFile("manifests/" + name)
	if err != nil {
		return err
	}
	_, err = s.apply(ctx, []byte(strings.NewReplacer(values...).Replace(string(data))))
	return err
}

// apply does what `kubectl apply --server-side` does.
func (s *stage) apply(ctx context.Context, data []byte) (int, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for count := 0; ; count++ {
		var o unstructured.Unstructured
		if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
			return count, nil
		} else if err != nil {
			return count, fmt.Errorf("decode manifest: %w", err)
		}
		err := s.admin.Apply(ctx, client.ApplyConfigurationFromUnstructured(&o),
			client.FieldOwner("kubectl"), client.ForceOwnership)
		if err != nil {
			return count, fmt.Errorf("apply %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
}

func object(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

func endpoint(name string) *unstructured.Unstructured {
	return object("hooks.postern.dev/v1alpha1", "WebhookEndpoint", "ci", name)
}

// awaitCondition waits until a condition is True for the newest generation.
func (s *stage) awaitCondition(ctx context.Context, o *unstructured.Unstructured, wanted string) error {
	what := fmt.Sprintf("%s %s to be %s", o.GetKind(), o.GetName(), wanted)
	key := types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
	return until(ctx, what, func(ctx context.Context) error {
		if err := s.admin.Get(ctx, key, o); err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
		var states []string
		for _, item := range conditions {
			condition, _ := item.(map[string]any)
			states = append(states, fmt.Sprintf("%s=%s (%s: %s)",
				condition["type"], condition["status"], condition["reason"], condition["message"]))
			observed, has := condition["observedGeneration"].(int64)
			if condition["type"] == wanted && condition["status"] == "True" && (!has || observed == o.GetGeneration()) {
				return nil
			}
		}
		return fmt.Errorf("conditions are %v", states)
	})
}
