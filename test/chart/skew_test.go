package chart_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/postern-dev/postern/test/wait"
)

// A manager whose CRDs are older than itself ends before it replaces the one
// that runs, and says what to do.
func TestCRDsOfAnEarlierVersion(t *testing.T) {
	c := startCluster(t)
	c.helm(t, "install", "postern", chart, "--create-namespace", "--set", "receiver.namespaceLimits.maxEndpoints=5")
	c.forget(t, "namespaceLimits")

	given := arguments(t, find(t, objects(t, c.helm(t, "get", "manifest", "postern")), "Deployment", "postern-manager"))
	kubeconfig := c.as(t, envtest.User{Name: "system:serviceaccount:" + namespace + ":postern-manager"})
	ctx, cancel := context.WithTimeout(t.Context(), wait.Patience)
	defer cancel()
	manager := exec.CommandContext(ctx, os.Args[0], append(given, "--kubeconfig="+kubeconfig, "--image=postern:test",
		"--health-probe-bind-address=0", "--metrics-bind-address=0")...)
	manager.Env = append(os.Environ(), beManager+"=1")
	out, err := manager.CombinedOutput()
	if err == nil || ctx.Err() != nil {
		t.Fatalf("the manager went on: %v\n%s", err, out)
	}
	for _, want := range []string{"--default-receiver", "namespaceLimits", "CRD"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the manager says nothing of %s:\n%s", want, out)
		}
	}
}

// forget takes a field out of the WebhookReceiver's CRD, as if it was made before.
func (c *cluster) forget(t *testing.T, field string) {
	t.Helper()
	definition := &apiextensionsv1.CustomResourceDefinition{}
	key := client.ObjectKey{Name: "webhookreceivers.hooks.postern.dev"}
	if err := c.client.Get(t.Context(), key, definition); err != nil {
		t.Fatal(err)
	}
	spec := definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	if _, found := spec.Properties[field]; !found {
		t.Fatalf("spec has no field %s", field)
	}
	delete(spec.Properties, field)
	definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"] = spec
	if err := c.client.Update(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
}
