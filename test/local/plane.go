package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/postern-dev/postern/test/kube"
)

// Plane is a kube-apiserver and its etcd.
type Plane struct {
	// Admin may do everything.
	Admin client.Client
	// Host is the URL of the API server.
	Host string

	env *envtest.Environment
}

// startPatience is how long the programs may take until they answer, on a machine
// that does other work.
const startPatience = 2 * time.Minute

// StartPlane starts the programs of a folder.
func StartPlane(assets string) (*Plane, error) {
	if assets == "" {
		return nil, errors.New("set KUBEBUILDER_ASSETS to a folder with kube-apiserver, etcd and kubectl; " +
			"hack/controlplane/assets finds or builds one")
	}
	p := &Plane{env: &envtest.Environment{
		BinaryAssetsDirectory: assets, UseExistingCluster: new(bool), ControlPlaneStartTimeout: startPatience,
	}}
	config, err := p.env.Start()
	if err == nil {
		p.Host = config.Host
		p.Admin, err = client.New(config, client.Options{})
	}
	if err != nil {
		p.Stop()
		return nil, fmt.Errorf("start kube-apiserver and etcd of %s: %w", assets, err)
	}
	return p, nil
}

// Stop ends both.
func (p *Plane) Stop() { _ = p.env.Stop() }

// Install applies the manifests of an installation, waits until its kinds are
// known, and returns the number of objects.
func (p *Plane) Install(ctx context.Context, manifest []byte, patience time.Duration) (int, error) {
	count, err := kube.Apply(ctx, p.Admin, manifest)
	if err != nil {
		return 0, err
	}
	for _, name := range []string{"webhookendpoints", "webhookreceivers"} {
		crd := kube.Object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", name+".hooks.postern.dev")
		if err := kube.AwaitCondition(ctx, p.Admin, crd, "Established", "True", patience); err != nil {
			return 0, err
		}
	}
	return count, nil
}

// Kubeconfig is the configuration of another user.
func (p *Plane) Kubeconfig(user string, groups ...string) ([]byte, error) {
	added, err := p.env.AddUser(envtest.User{Name: user, Groups: groups}, &rest.Config{})
	if err != nil {
		return nil, fmt.Errorf("add user %s: %w", user, err)
	}
	data, err := added.KubeConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: %w", user, err)
	}
	return data, nil
}

// ServiceAccount is the configuration of a process that has the identity that it
// has in a cluster, so that what runs also shows that the permissions suffice.
func (p *Plane) ServiceAccount(namespace, name string) ([]byte, error) {
	return p.Kubeconfig("system:serviceaccount:"+namespace+":"+name,
		"system:serviceaccounts", "system:serviceaccounts:"+namespace)
}
