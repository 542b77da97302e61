package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"strings"

	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
)

//go:embed manifests/*.yaml
var manifests embed.FS

const systemNamespace = "postern-system"

func (s *stage) startControlPlane(context.Context) error {
	headline("A control plane of our own")
	s.begin()
	plane, err := local.StartPlane(s.assets)
	if err != nil {
		return err
	}
	s.undo = append(s.undo, plane.Stop)
	s.plane, s.admin = plane, plane.Admin
	if _, err := s.userConfig("admin.kubeconfig", "admin", "system:masters"); err != nil {
		return err
	}
	s.shown("kube-apiserver and etcd serve at %s", plane.Host)
	return nil
}

func (s *stage) install(ctx context.Context) error {
	s.begin()
	data, err := os.ReadFile(s.options.install)
	if err != nil {
		return fmt.Errorf("%w: run `make installer`", err)
	}
	count, err := s.plane.Install(ctx, data, patience)
	if err != nil {
		return err
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
