package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postern-dev/postern/test/freeport"
	"github.com/postern-dev/postern/test/local"
)

// serviceAccount runs a process under the identity that it has in a cluster, so
// that the demo also shows that the permissions suffice.
func (s *stage) serviceAccount(name string) (string, error) {
	data, err := s.plane.ServiceAccount(systemNamespace, name)
	if err != nil {
		return "", err
	}
	return s.write(name+".kubeconfig", data)
}

func (s *stage) startManager(ctx context.Context) error {
	s.begin()
	kubeconfig, err := s.serviceAccount("postern-manager")
	if err != nil {
		return err
	}
	ports := make([]string, 3)
	for i := range ports {
		port, err := freeport.Find()
		if err != nil {
			return err
		}
		ports[i] = "127.0.0.1:" + strconv.Itoa(port)
	}
	s.public, s.internal = "http://"+ports[0], "http://"+ports[1]
	manager, err := s.start("manager", local.Absolute(s.postern), "manager", "--kubeconfig="+kubeconfig,
		"--namespace="+systemNamespace, "--leader-elect", "--receiver-url="+s.internal, "--image=postern:demo",
		"--health-probe-bind-address="+ports[2], "--metrics-bind-address=0")
	if err != nil {
		return err
	}
	if err := s.awaitOK(ctx, manager, "http://"+ports[2]+"/readyz"); err != nil {
		return err
	}
	s.shown("the manager runs, with the permissions of its ServiceAccount")
	return nil
}

// startReceiver plays the kubelet: the manager turns the WebhookReceiver into a
// Deployment, and its containers' arguments become processes.
func (s *stage) startReceiver(ctx context.Context) error {
	s.begin()
	if err := s.applyManifest(ctx, "receiver.yaml", "${URL}", s.public); err != nil {
		return err
	}
	var deployment appsv1.Deployment
	key := types.NamespacedName{Namespace: systemNamespace, Name: "postern-receiver"}
	err := until(ctx, "the receiver's Deployment", func(ctx context.Context) error {
		return s.admin.Get(ctx, key, &deployment)
	})
	if err != nil {
		return err
	}
	s.shown("the manager made the receiver's Deployment of the WebhookReceiver")

	s.begin()
	pod := deployment.Spec.Template.Spec
	if err := s.startStore(ctx, pod); err != nil {
		return err
	}
	s.shown("Redis runs with the sidecar's arguments: every write is on the disk before its answer")

	s.begin()
	kubeconfig, err := s.serviceAccount("postern-receiver")
	if err != nil {
		return err
	}
	arguments := append(s.relocated(local.Arguments(pod.Containers, "receiver")),
		"--listen="+strings.TrimPrefix(s.public, "http://"),
		"--internal="+strings.TrimPrefix(s.internal, "http://"),
		"--kubeconfig="+kubeconfig)
	for service, target := range s.targets {
		arguments = append(arguments, fmt.Sprintf("--forward=ci/%s=http://%s", service, target.address))
	}
	receiver, err := s.start("receiver", local.Absolute(s.postern), arguments...)
	if err != nil {
		return err
	}
	if err := s.awaitOK(ctx, receiver, s.internal+"/readyz"); err != nil {
		return err
	}
	s.shown("the receiver is ready at %s", s.public)
	return nil
}

func (s *stage) startStore(ctx context.Context, pod corev1.PodSpec) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return fmt.Errorf("%w: install redis-server, or use `make demo`, which does", err)
	}
	for _, folder := range []string{"run", "data"} {
		if err := os.MkdirAll(s.path(folder), 0o700); err != nil {
			return err
		}
	}
	arguments := local.Arguments(pod.InitContainers, "store")
	if len(arguments) == 0 {
		return errors.New("the receiver's Deployment has no store container")
	}
	store, err := s.start("redis", program, s.relocated(arguments)...)
	if err != nil {
		return err
	}
	return store.Await(ctx, "Redis to open its socket", patience, func(context.Context) error {
		_, err := os.Stat(s.path("run", "redis.sock"))
		return err
	})
}

// relocated replaces the pod's folders by the demo's.
func (s *stage) relocated(arguments []string) []string {
	return local.Relocate(arguments, "/run/postern", s.path("run"), "/data", s.path("data"))
}

// awaitOK waits until a URL answers 200, as long as its process lives.
func (s *stage) awaitOK(ctx context.Context, p *local.Process, url string) error {
	return p.Await(ctx, p.Name+" to be ready", patience, func(ctx context.Context) error {
		status, body, err := s.get(ctx, url)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%s answers %d %s", url, status, body)
		}
		return err
	})
}
