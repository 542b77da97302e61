package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/postern-dev/postern/test/kube"
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
	count, err := kube.Apply(ctx, s.admin, data)
	if err != nil {
		return err
	}
	for _, name := range []string{"webhookendpoints", "webhookreceivers"} {
		crd := kube.Object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name+".hooks.postern.dev")
		if err := kube.AwaitCondition(ctx, s.admin, crd, "Established", "True", patience); err != nil {
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
	_, err = kube.Apply(ctx, s.admin, []byte(strings.NewReplacer(values...).Replace(string(data))))
	return err
}

// awaitReady waits until one of the demo's endpoints is Ready.
func (s *stage) awaitReady(ctx context.Context, name string) error {
	endpoint := kube.Object("hooks.postern.dev/v1alpha1", "WebhookEndpoint", "ci", name)
	return kube.AwaitCondition(ctx, s.admin, endpoint, "Ready", "True", patience)
}
