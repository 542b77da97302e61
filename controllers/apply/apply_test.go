package apply_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
)

var cluster *controltest.Cluster

func TestMain(m *testing.M) {
	var stop func() error
	var err error
	code := 1
	if cluster, stop, err = controltest.Start(scheme.Scheme); err == nil {
		code = m.Run()
		err = stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func writer() *apply.Writer { return apply.NewWriter(cluster.Client, cluster.Client) }

func secret(namespace, name string, data map[string][]byte) *corev1ac.SecretApplyConfiguration {
	return corev1ac.Secret(name, namespace).WithLabels(meta.ManagedBy()).WithData(data)
}

func read(t *testing.T, namespace, name string) *corev1.Secret {
	t.Helper()
	found := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	cluster.Get(t, found)
	return found
}

func TestApply(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	mustApply(t, secret(namespace, "s", map[string][]byte{"a": []byte("1"), "b": []byte("2")}))
	first := read(t, namespace, "s")
	mustApply(t, secret(namespace, "s", map[string][]byte{"a": []byte("1"), "b": []byte("2")}))
	if again := read(t, namespace, "s"); again.ResourceVersion != first.ResourceVersion {
		t.Error("applying the same again is a write")
	}
	// What somebody else adds stays; what we no longer say goes.
	controltest.Change(t, cluster, first, func(s *corev1.Secret) { s.Annotations = map[string]string{"theirs": "yes"} })
	mustApply(t, secret(namespace, "s", map[string][]byte{"a": []byte("3")}))
	last := read(t, namespace, "s")
	if string(last.Data["a"]) != "3" || len(last.Data) != 1 || last.Annotations["theirs"] != "yes" {
		t.Errorf("the object is %v %v", last.Data, last.Annotations)
	}
}

func TestForeignObjectsStay(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	theirs := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "s"}, Data: map[string][]byte{"a": []byte("theirs")},
	}
	cluster.Create(t, theirs)
	err := writer().ApplyAll(t.Context(), []runtime.ApplyConfiguration{
		secret(namespace, "s", map[string][]byte{"a": []byte("ours")}), secret(namespace, "other", nil),
	})
	if foreign, ok := errors.AsType[*apply.ForeignError](err); !ok || foreign.Kind != "Secret" || foreign.Name != "s" {
		t.Errorf("error is %v, want a ForeignError that names the Secret", err)
	}
	if !strings.Contains(err.Error(), "app.kubernetes.io/managed-by=postern") {
		t.Errorf("%q does not say how to hand the object over", err)
	}
	if got := read(t, namespace, "s"); string(got.Data["a"]) != "theirs" {
		t.Error("somebody else's object was changed")
	}
	read(t, namespace, "other") // one that fails keeps nothing back
	if err := writer().Delete(t.Context(), read(t, namespace, "s")); err != nil {
		t.Error(err)
	}
	read(t, namespace, "s") // still there

	controltest.Change(t, cluster, theirs, func(s *corev1.Secret) { s.Labels = meta.ManagedBy() })
	mustApply(t, secret(namespace, "s", map[string][]byte{"a": []byte("ours")}))
}

// TestOwnWithoutLabel: removing the label by hand must not lock us out.
func TestOwnWithoutLabel(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	mustApply(t, secret(namespace, "s", map[string][]byte{"a": []byte("1")}))
	stored := read(t, namespace, "s")
	stored.Labels = nil
	if err := cluster.Client.Update(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	mustApply(t, secret(namespace, "s", map[string][]byte{"a": []byte("1")}))
	if read(t, namespace, "s").Labels[meta.LabelManagedBy] != meta.ManagedByPostern {
		t.Error("the label did not come back")
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	mustApply(t, secret(namespace, "s", nil))
	first := read(t, namespace, "s")
	for range 2 { // twice is as good as once
		if err := writer().Delete(t.Context(), first); err != nil {
			t.Fatal(err)
		}
	}
	mustApply(t, secret(namespace, "s", nil))
	if err := writer().Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	read(t, namespace, "s") // a new object of the name is another object
}

func TestPrune(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	keep := secret(namespace, "keep", nil)
	mustApply(t, keep)
	mustApply(t, secret(namespace, "drop", nil))
	mustApply(t, corev1ac.ServiceAccount("drop", namespace).WithLabels(meta.ManagedBy()))
	cluster.Create(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "theirs"}})
	err := writer().Prune(t.Context(), namespace, nil, []runtime.ApplyConfiguration{keep}, &corev1.SecretList{})
	if err != nil {
		t.Fatal(err)
	}
	read(t, namespace, "keep")
	read(t, namespace, "theirs")
	cluster.Get(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "drop"}})
	err = cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "drop"}, &corev1.Secret{})
	if client.IgnoreNotFound(err) != nil || err == nil {
		t.Errorf("the Secret that nobody wants is there: %v", err)
	}
}

func TestNamelessIsRefused(t *testing.T) {
	t.Parallel()
	err := writer().Apply(t.Context(), &corev1ac.SecretApplyConfiguration{})
	if err == nil || !strings.Contains(err.Error(), "does not name its kind") {
		t.Errorf("error is %v", err)
	}
}

func mustApply(t *testing.T, object runtime.ApplyConfiguration) {
	t.Helper()
	if err := writer().Apply(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}
