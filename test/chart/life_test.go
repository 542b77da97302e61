package chart_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/test/wait"
)

// A release from the first install in a cluster without CRDs to the uninstall,
// with Helm's own program and the manager under the chart's own permissions.
func TestLifeOfARelease(t *testing.T) {
	c := startCluster(t)
	notes := c.helm(t, "install", "postern", chart, "--create-namespace", "--set", "receiver.trustedProxies={10.0.0.0/8}")
	if !strings.Contains(notes, "wait --for=condition=Ready") {
		t.Errorf("the notes name no next step:\n%s", notes)
	}
	first := c.managed(t, func() error {
		receiver, err := c.receiver(t)
		if err == nil && len(receiver.Spec.TrustedProxies) != 1 {
			err = fmt.Errorf("the trusted proxies are %v", receiver.Spec.TrustedProxies)
		}
		_, missing := c.index(t)
		return errors.Join(err, missing)
	})
	c.isOwned(t, first)

	c.helm(t, "upgrade", "postern", chart, "--set", "receiver.trustedProxies=null")
	second := c.managed(t, func() error {
		receiver, err := c.receiver(t)
		if err == nil && len(receiver.Spec.TrustedProxies) != 0 {
			err = errors.New("a value that was taken back is still there")
		}
		return err
	})
	if second.UID != first.UID {
		t.Error("the upgrade made another receiver")
	}
	c.isAsOfKustomize(t, second)

	c.helm(t, "rollback", "postern", "1")
	third := c.managed(t, func() error {
		receiver, err := c.receiver(t)
		if err == nil && len(receiver.Spec.TrustedProxies) != 1 {
			err = errors.New("the value of the first revision did not come back")
		}
		return err
	})
	if third.UID != first.UID {
		t.Error("the rollback made another receiver")
	}

	c.helm(t, "uninstall", "postern")
	c.isGone(t)
	if definitions := c.definitions(t); definitions != 3 {
		t.Errorf("%d CRDs are left of those that should be kept", definitions)
	}
	// A release of the same name takes the kept CRDs over, and may remove them.
	c.helm(t, "install", "postern", chart, "--set", "crds.keep=false")
	c.helm(t, "uninstall", "postern")
	wait.For(t, "removal of the CRDs", func() error {
		if left := c.definitions(t); left != 0 {
			return fmt.Errorf("%d CRDs are left", left)
		}
		return nil
	})
	c.takesOverFromKustomize(t)
}

// takesOverFromKustomize installs by kustomize and then by Helm.
func (c *cluster) takesOverFromKustomize(t *testing.T) {
	t.Helper()
	for _, object := range objects(t, kustomize(t, "config/default")) {
		if err := c.client.Create(t.Context(), object); object.GetKind() != "Namespace" && err != nil {
			t.Fatalf("create %s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
	deployment := &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: namespace, Name: "postern-manager"}
	if err := c.client.Get(t.Context(), key, deployment); err != nil {
		t.Fatal(err)
	}
	before := deployment.UID
	c.helm(t, "install", "postern", chart, "--take-ownership")
	if err := c.client.Get(t.Context(), key, deployment); err != nil {
		t.Fatal(err)
	}
	if deployment.UID != before || deployment.Labels["app.kubernetes.io/managed-by"] != "Helm" {
		t.Errorf("the Deployment was not taken over: %v", deployment.ObjectMeta)
	}
}

// In the namespaced mode the manager lives on Roles.
func TestNamespacedModeServesItsTenantsOnly(t *testing.T) {
	c := startCluster(t)
	c.createNamespaces(t, "shop", "ci", "other")
	c.helm(t, "install", "postern", chart, "--create-namespace",
		"--set", "watchNamespaces={shop,ci},rbac.userRoles=false,metrics.secure=false")
	stop := c.manager(t, c.helm(t, "get", "manifest", "postern"))
	defer stop()
	for _, tenant := range []string{"shop", "other"} {
		c.createEndpoint(t, tenant)
	}
	wait.For(t, "the route of shop/github", func() error {
		routes, err := c.routes(t)
		if err == nil && len(routes) == 0 {
			err = errors.New("no route yet")
		}
		return err
	})
	routes, err := c.routes(t)
	if err != nil || len(routes) != 1 || routes[0] != "shop/github" {
		t.Errorf("the routes are of %v, want only shop/github (%v)", routes, err)
	}
	c.targetsResolved(t, v1alpha1.ConditionTargetsResolved)
	// A Service where the manager may not look is no error of the manager.
	endpoint := &v1alpha1.WebhookEndpoint{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "github"}}
	patch := client.RawPatch(types.MergePatchType, []byte(`{"spec":{"targets":[
		{"name":"own","service":{"name":"builder","port":80}},
		{"name":"others","service":{"name":"builder","namespace":"other","port":80}}]}}`))
	if err := c.client.Patch(t.Context(), endpoint, patch); err != nil {
		t.Fatal(err)
	}
	c.targetsResolved(t, v1alpha1.ReasonNamespaceNotServed)
	wait.For(t, "the receiver's objects", func() error {
		return c.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "postern-receiver"}, &corev1.Service{})
	})
}

// A second release would fight the first one over the endpoints.
func TestSecondReleaseIsRefused(t *testing.T) {
	c := startCluster(t)
	c.createNamespaces(t, namespace, "elsewhere", "shop")
	c.helm(t, "install", "postern", chart)
	for name, test := range map[string]struct {
		arguments []string
		want      string
	}{
		"for all namespaces too": {
			[]string{"second", chart, "--namespace", "elsewhere"}, "Postern in namespace postern-system",
		},
		"with the CRDs": {
			[]string{"second", chart, "--namespace", "elsewhere", "--set", "watchNamespaces={shop}"}, "invalid ownership metadata",
		},
		"in the same namespace": {
			[]string{
				"second", chart, "--namespace", namespace, "--set", "watchNamespaces={shop},crds.enabled=false",
				"--set", "rbac.userRoles=false,metrics.secure=false",
			}, `Lease "postern-manager.hooks.postern.dev"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, c.kubeconfig, append([]string{"install"}, test.arguments...)...)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want %q in it", err, test.want)
			}
		})
	}
}

// targetsResolved waits until the condition of shop/github has the reason.
func (c *cluster) targetsResolved(t *testing.T, reason string) {
	t.Helper()
	wait.For(t, "TargetsResolved of shop/github for the reason "+reason, func() error {
		endpoint := &v1alpha1.WebhookEndpoint{}
		key := client.ObjectKey{Namespace: "shop", Name: "github"}
		if err := c.client.Get(t.Context(), key, endpoint); err != nil {
			return err
		}
		condition := apimeta.FindStatusCondition(endpoint.Status.Conditions, v1alpha1.ConditionTargetsResolved)
		if condition == nil || condition.Reason != reason {
			return fmt.Errorf("the conditions are %+v", endpoint.Status.Conditions)
		}
		return nil
	})
}

// managed runs the manager of the current release until the check passes.
func (c *cluster) managed(t *testing.T, check func() error) *v1alpha1.WebhookReceiver {
	t.Helper()
	stop := c.manager(t, c.helm(t, "get", "manifest", "postern"))
	defer stop()
	wait.For(t, "the receiver of the release", check)
	receiver, err := c.receiver(t)
	if err != nil {
		t.Fatal(err)
	}
	return receiver
}

func (c *cluster) receiver(t *testing.T) (*v1alpha1.WebhookReceiver, error) {
	t.Helper()
	receiver := &v1alpha1.WebhookReceiver{}
	return receiver, c.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "default"}, receiver)
}

// index is the Secret that the manager keeps about the routes.
func (c *cluster) index(t *testing.T) (*corev1.Secret, error) {
	t.Helper()
	index := &corev1.Secret{}
	return index, c.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "postern-routes-index"}, index)
}

// isOwned proves what removes the receiver and the index with the release:
// there is no garbage collector here to do it.
func (c *cluster) isOwned(t *testing.T, receiver *v1alpha1.WebhookReceiver) {
	t.Helper()
	account := &corev1.ServiceAccount{}
	key := client.ObjectKey{Namespace: namespace, Name: "postern-manager"}
	if err := c.client.Get(t.Context(), key, account); err != nil {
		t.Fatal(err)
	}
	index, err := c.index(t)
	if err != nil {
		t.Fatal(err)
	}
	for name, owners := range map[string][]metav1.OwnerReference{
		"receiver": receiver.OwnerReferences, "index": index.OwnerReferences,
	} {
		if len(owners) != 1 || owners[0].UID != account.UID {
			t.Errorf("the %s is owned by %v, want by the ServiceAccount %s", name, owners, account.UID)
		}
	}
}

// isAsOfKustomize compares what the API server makes of both installations.
func (c *cluster) isAsOfKustomize(t *testing.T, receiver *v1alpha1.WebhookReceiver) {
	t.Helper()
	c.createNamespaces(t, "kustomize")
	other := &v1alpha1.WebhookReceiver{}
	if err := yaml.UnmarshalStrict([]byte(kustomize(t, "config/receiver")), other); err != nil {
		t.Fatal(err)
	}
	if other.Name != receiver.Name || other.Namespace != receiver.Namespace {
		t.Errorf("kustomize makes %s/%s, the chart %s/%s", other.Namespace, other.Name, receiver.Namespace, receiver.Name)
	}
	other.Namespace = "kustomize"
	c.create(t, other)
	if !reflect.DeepEqual(other.Spec, receiver.Spec) {
		t.Errorf("the specs differ:\nkustomize %+v\nchart     %+v", other.Spec, receiver.Spec)
	}
}

func (c *cluster) isGone(t *testing.T) {
	t.Helper()
	for _, object := range objects(t, render(t)) {
		if kind := object.GetKind(); kind == "CustomResourceDefinition" || kind == "Pod" {
			continue
		}
		wait.For(t, object.GetKind()+" "+object.GetName(), func() error {
			return absent(c.client.Get(t.Context(), client.ObjectKeyFromObject(object), object.DeepCopy()))
		})
	}
}

func (c *cluster) definitions(t *testing.T) int {
	t.Helper()
	var definitions apiextensionsv1.CustomResourceDefinitionList
	if err := c.client.List(t.Context(), &definitions); err != nil {
		t.Fatal(err)
	}
	return len(definitions.Items)
}

func (c *cluster) createEndpoint(t *testing.T, namespace string) {
	t.Helper()
	c.create(t,
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "github"},
			StringData: map[string]string{"secret": "It's a Secret to Everybody"},
		},
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "builder"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		})
	endpoint := &v1alpha1.WebhookEndpoint{}
	manifest := `{spec: {source: {provider: github}, secretRef: {name: github}, targets: [{service: {name: builder, port: 80}}]}}`
	if err := yaml.UnmarshalStrict([]byte(manifest), endpoint); err != nil {
		t.Fatal(err)
	}
	endpoint.Namespace, endpoint.Name = namespace, "github"
	c.create(t, endpoint)
}

// routes names the endpoints of the compiled routes.
func (c *cluster) routes(t *testing.T) ([]string, error) {
	t.Helper()
	var secrets corev1.SecretList
	err := c.client.List(t.Context(), &secrets, client.InNamespace(namespace),
		client.MatchingLabels{"hooks.postern.dev/route": "true"})
	var endpoints []string
	for i := range secrets.Items {
		endpoints = append(endpoints, secrets.Items[i].Annotations["hooks.postern.dev/endpoint"])
	}
	return endpoints, err
}
