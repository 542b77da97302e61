package endpoint_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/index"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

// indexAgrees compares the index with the routes as a receiver does.
func indexAgrees(ctx context.Context, system string, secrets []corev1.Secret) error {
	hashes := map[string]string{}
	for i := range secrets {
		loaded, err := route.Unmarshal(secrets[i].Data[meta.RouteKey])
		if err != nil {
			return err
		}
		hashes[loaded.UID] = loaded.Hash()
	}
	content, err := readIndex(ctx, system)
	if err != nil {
		return err
	}
	content.Installation = ""
	if want := (index.Content{Count: len(hashes), Hash: route.IndexHash(hashes)}); content != want {
		return fmt.Errorf("the index says %+v, want %+v", content, want)
	}
	return nil
}

func readIndex(ctx context.Context, system string) (index.Content, error) {
	var secret corev1.Secret
	var content index.Content
	key := types.NamespacedName{Namespace: system, Name: meta.RouteIndexName}
	if err := cluster.Client.Get(ctx, key, &secret); err != nil {
		return content, err
	}
	if secret.Type != meta.SecretTypeRouteIndex || secret.Labels[meta.LabelRouteIndex] != meta.LabelTrue {
		return content, fmt.Errorf("the index has type %s and labels %v", secret.Type, secret.Labels)
	}
	return content, json.Unmarshal(secret.Data[meta.RouteIndexKey], &content)
}

func TestIndex(t *testing.T) {
	t.Parallel()
	own := controltest.NewReceiver(cluster, "")
	t.Cleanup(own.Close)
	system, tenant := second(t, controllers.Options{ReceiverURLs: []string{own.URL()}})
	own.SetNamespace(system)
	waitRoutes(t, system, 0) // no endpoint at all is a complete table
	home := &corev1.Namespace{}
	home.Name = system
	cluster.Get(t, home)
	if content, err := readIndex(t.Context(), system); err != nil || content.Installation != string(home.UID) {
		t.Errorf("the index is of installation %q, %v; want the namespace's uid %s", content.Installation, err, home.UID)
	}

	cluster.Create(t, secret(tenant, "github", good), service(tenant, "builder"))
	var endpoints []*v1alpha1.WebhookEndpoint
	for i := range 5 {
		endpoint := github(tenant)
		endpoint.Name = fmt.Sprintf("github-%d", i)
		cluster.Create(t, endpoint)
		endpoints = append(endpoints, endpoint)
	}
	waitRoutes(t, system, 5)

	controltest.Change(t, cluster, endpoints[0], func(e *v1alpha1.WebhookEndpoint) { e.Spec.MaxBodyBytes = 4096 })
	waitReady(t, endpoints[0])
	cluster.Delete(t, endpoints[1])
	waitRoutes(t, system, 4)

	stored := &corev1.Secret{}
	stored.Namespace, stored.Name = system, meta.RouteIndexName
	controltest.Change(t, cluster, stored, func(s *corev1.Secret) {
		s.Data[meta.RouteIndexKey] = []byte(`{"count":0,"hash":""}`)
	})
	waitRoutes(t, system, 4)
	cluster.Delete(t, stored)
	waitRoutes(t, system, 4)
}

// TestRestart: a manager that starts over existing routes keeps them, and never
// says that fewer are all.
func TestRestart(t *testing.T) {
	t.Parallel()
	own := controltest.NewReceiver(cluster, "")
	t.Cleanup(own.Close)
	system, tenant := cluster.Namespace(t), cluster.Namespace(t)
	own.SetNamespace(system)
	options := controllers.Options{
		Namespace: system, WatchNamespaces: []string{tenant}, ReceiverURLs: []string{own.URL()}, Image: "postern:test",
	}
	cluster.Create(t, secret(tenant, "github", good), service(tenant, "builder"))
	var endpoints []*v1alpha1.WebhookEndpoint
	for i := range 20 {
		endpoint := github(tenant)
		endpoint.Name = fmt.Sprintf("github-%d", i)
		cluster.Create(t, endpoint)
		endpoints = append(endpoints, endpoint)
	}
	versions := map[string]string{}
	for round := range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		ended, err := manage(ctx, options)
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			// The first index that is ever written counts all twenty.
			wait.For(t, "an index", func() error {
				content, err := readIndex(ctx, system)
				if err == nil && content.Count != len(endpoints) {
					t.Errorf("the first index counts %d of %d routes", content.Count, len(endpoints))
				}
				return err
			})
		}
		waitRoutes(t, system, len(endpoints))
		for _, endpoint := range endpoints {
			waitReady(t, endpoint)
			stored := routeSecret(endpoint)
			stored.Namespace = system
			cluster.Get(t, stored)
			if before := versions[endpoint.Name]; before != "" && before != stored.ResourceVersion {
				t.Errorf("the restart wrote the route of %s again", endpoint.Name)
			}
			versions[endpoint.Name] = stored.ResourceVersion
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}
