package provision_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/provision"
	"github.com/postern-dev/postern/test/wait"
)

func provisioner(t *testing.T, namespace, text string) *provision.Provisioner {
	t.Helper()
	receiver, err := provision.Parse(text, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return &provision.Provisioner{Client: cluster.Client, Receiver: receiver}
}

func owner(namespace, account string) apply.Owner {
	return apply.Owner{Reader: cluster.Client, Namespace: namespace, Account: account}
}

func start(t *testing.T, p *provision.Provisioner) {
	t.Helper()
	if err := p.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func stored(t *testing.T, namespace string) *v1alpha1.WebhookReceiver {
	t.Helper()
	receiver := &v1alpha1.WebhookReceiver{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"}}
	cluster.Get(t, receiver)
	return receiver
}

func TestCreatesWithItsOwner(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "postern-manager"}}
	cluster.Create(t, account)
	p := provisioner(t, namespace, `{"metadata":{"labels":{"team":"edge"}},"spec":{"externalURL":"https://hooks.example.com"}}`)
	p.Owner = owner(namespace, account.Name)
	start(t, p)
	receiver := stored(t, namespace)
	if receiver.Spec.ExternalURL != "https://hooks.example.com" || receiver.Labels["team"] != "edge" {
		t.Errorf("the receiver is %+v", receiver)
	}
	if len(receiver.OwnerReferences) != 1 || receiver.OwnerReferences[0].UID != account.UID {
		t.Errorf("the owner is %v, want the ServiceAccount %s", receiver.OwnerReferences, account.UID)
	}
	start(t, p)
	if again := stored(t, namespace); again.ResourceVersion != receiver.ResourceVersion {
		t.Error("applying the same again changed the receiver")
	}
}

func TestDropsItsOwnFieldsAndKeepsThoseOfOthers(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	start(t, provisioner(t, namespace, `{"spec":{"externalURL":"https://a.example.com","logLevel":"Debug"}}`))
	controltest.Change(t, cluster, stored(t, namespace), func(receiver *v1alpha1.WebhookReceiver) {
		receiver.Spec.TrustedProxies = []v1alpha1.IPRange{"10.0.0.0/8"}
		receiver.Spec.ExternalURL = "https://by-hand.example.com"
	})
	start(t, provisioner(t, namespace, `{"spec":{"externalURL":"https://b.example.com"}}`))
	spec := stored(t, namespace).Spec
	if spec.ExternalURL != "https://b.example.com" || spec.LogLevel != v1alpha1.LogLevelInfo || len(spec.TrustedProxies) != 1 {
		t.Errorf("the spec is %+v: want the new URL, the default level, and the proxies set by hand", spec)
	}
}

func TestCheckChangesNothing(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	if err := provisioner(t, namespace, "{}").Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	receiver := &v1alpha1.WebhookReceiver{}
	err := cluster.Client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: "default"}, receiver)
	if !apierrors.IsNotFound(err) {
		t.Errorf("after a check, get says %v, want not found", err)
	}
}

func TestRefusedReceiverEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := provisioner(t, cluster.Namespace(t), `{"spec":{"replicas":3}}`)
	for name, try := range map[string]func(context.Context) error{"check": p.Check, "start": p.Start} {
		err := try(t.Context())
		if err == nil || !strings.Contains(err.Error(), "`replicas` above 1 needs `store.type: External`") {
			t.Errorf("%s: error is %v, want the schema's own message", name, err)
		}
	}
}

func TestWaitsForItsOwner(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	p := provisioner(t, namespace, "{}")
	p.Owner = owner(namespace, "late")
	ended := make(chan error, 1)
	go func() { ended <- p.Start(t.Context()) }()
	cluster.Create(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "late"}})
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	stored(t, namespace)
}

func TestMissingOwnerIsNamed(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	p := provisioner(t, namespace, "{}")
	p.Owner = owner(namespace, "nobody")
	patience := 250 * time.Millisecond
	wait.For(t, "the ServiceAccount's name", func() error {
		patience *= 2
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := p.Check(ctx); err == nil || !strings.Contains(err.Error(), `"nobody" not found`) {
			return fmt.Errorf("the error is %w", err)
		}
		return nil
	})
}

func TestEndsWithTheManager(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := provisioner(t, cluster.Namespace(t), "{}").Start(ctx); err != nil {
		t.Errorf("a manager that stops is no error, got %v", err)
	}
}

// A hardened API server asks for delete before it lets anybody set an owner.
func TestManagersPermissionsSuffice(t *testing.T) {
	t.Parallel()
	namespace := cluster.Namespace(t)
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "postern-manager"}}
	cluster.Create(t, account)
	start(t, provisioner(t, namespace, "{}"))
	as, err := grantManager(t, namespace)
	if err != nil {
		t.Fatal(err)
	}
	p := provisioner(t, namespace, "{}")
	p.Client, p.Owner = as, apply.Owner{Reader: as, Namespace: namespace, Account: account.Name}
	wait.For(t, "applying as the manager", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return errors.Join(p.Check(ctx), p.Start(ctx), ctx.Err())
	})
	if owners := stored(t, namespace).OwnerReferences; len(owners) != 1 {
		t.Errorf("owners are %v", owners)
	}
}
