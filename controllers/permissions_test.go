package controllers_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/yaml"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/test/wait"
)

// TestPermissions runs the manager with exactly the permissions of config/rbac:
// one too few and nothing gets ready, one too many and the second half tells.
func TestPermissions(t *testing.T) {
	t.Parallel()
	ensure(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: meta.DefaultNamespace}})
	bind(t, "manager")
	if err := cluster.InstallGrants(t.Context()); err != nil {
		t.Fatal(err)
	}
	manager, err := cluster.As("manager")
	if err != nil {
		t.Fatal(err)
	}
	answerer := controltest.NewReceiver(cluster, meta.DefaultNamespace)
	t.Cleanup(answerer.Close)
	options := controllers.Options{Image: "postern:test", ReceiverURLs: []string{answerer.URL()}}
	ctx, cancel := context.WithCancel(context.Background())
	ended, err := manager.Manage(ctx, controllers.CacheOptions(options), func(mgr ctrl.Manager) error {
		return controllers.Setup(ctx, mgr, options)
	})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("manager: %v", err)
		}
	})
	serveOne(t)
	forbidden(t, manager)
}

// serveOne leads a receiver and an endpoint through their lives.
func serveOne(t *testing.T) {
	t.Helper()
	receiver := &v1alpha1.WebhookReceiver{
		ObjectMeta: metav1.ObjectMeta{Namespace: meta.DefaultNamespace, Name: meta.DefaultReceiver},
	}
	ensure(t, receiver)
	waitFor(t, receiver, &receiver.Status.Conditions, v1alpha1.ConditionDeployed)

	namespace := cluster.Namespace(t)
	endpoint := &v1alpha1.WebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "github"},
		Spec: v1alpha1.WebhookEndpointSpec{
			Source:    v1alpha1.Source{Provider: "github"},
			SecretRef: v1alpha1.SecretKeysReference{Name: "github"},
			Targets: []v1alpha1.Target{{
				Service: v1alpha1.ServiceReference{Name: "builder", Port: intstr.FromInt32(80)},
			}},
		},
	}
	cluster.Create(t, endpoint,
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "github"},
			StringData: map[string]string{"secret": "one"},
		},
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "builder"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		})
	waitFor(t, endpoint, &endpoint.Status.Conditions, v1alpha1.ConditionReady)

	cluster.Delete(t, endpoint)
	wait.For(t, "the endpoint is gone", func() error {
		err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(endpoint), endpoint)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, errors.New("it is still there"))
	})
}

func waitFor(t *testing.T, object client.Object, conditions *[]metav1.Condition, conditionType string) {
	t.Helper()
	wait.For(t, conditionType+" of "+object.GetName(), func() error {
		cluster.Get(t, object)
		if !apimeta.IsStatusConditionTrue(*conditions, conditionType) {
			return fmt.Errorf("the conditions are %+v", *conditions)
		}
		return nil
	})
}

// forbidden tries what the manager has no business with.
func forbidden(t *testing.T, manager *controltest.Cluster) {
	t.Helper()
	namespace := cluster.Namespace(t)
	for _, object := range []client.Object{
		&corev1.Secret{}, &corev1.ConfigMap{}, &corev1.Service{}, &rbacv1.Role{}, &v1alpha1.WebhookEndpoint{},
		&rbacv1.ClusterRole{},
	} {
		object.SetName("postern-test")
		if _, whole := object.(*rbacv1.ClusterRole); !whole {
			object.SetNamespace(namespace)
		}
		if err := manager.Client.Create(t.Context(), object); !apierrors.IsForbidden(err) {
			t.Errorf("creating a %T answered %v, want forbidden", object, err)
		}
	}
	var pods corev1.PodList
	if err := manager.Client.List(t.Context(), &pods); !apierrors.IsForbidden(err) {
		t.Errorf("listing everybody's pods answered %v, want forbidden", err)
	}
}

// bind applies the generated roles and binds them to a user.
func bind(t *testing.T, user string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "config", "rbac", "role.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		object := &unstructured.Unstructured{}
		if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) == 0 {
			continue
		}
		ensure(t, object)
		name := metav1.ObjectMeta{Name: object.GetName(), Namespace: object.GetNamespace()}
		reference := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: object.GetKind(), Name: object.GetName()}
		if object.GetKind() == "ClusterRole" {
			ensure(t, &rbacv1.ClusterRoleBinding{ObjectMeta: name, RoleRef: reference, Subjects: subjects})
		} else {
			ensure(t, &rbacv1.RoleBinding{ObjectMeta: name, RoleRef: reference, Subjects: subjects})
		}
	}
}

// ensure creates an object unless an earlier run of the test did.
func ensure(t *testing.T, object client.Object) {
	t.Helper()
	if err := cluster.Client.Create(t.Context(), object); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatalf("create %T %s: %v", object, client.ObjectKeyFromObject(object), err)
	}
}
