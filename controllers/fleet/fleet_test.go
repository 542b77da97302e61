package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/test/wait"
)

var receivers atomic.Int64

// webhookReceiver has a name that no other test has, not even the same one
// that is run again.
func webhookReceiver(name string) *v1alpha1.WebhookReceiver {
	return &v1alpha1.WebhookReceiver{ObjectMeta: metav1.ObjectMeta{
		Namespace: meta.DefaultNamespace, Name: fmt.Sprintf("%s-%d", name, receivers.Add(1)),
	}}
}

func waitCondition(
	t *testing.T, receiver *v1alpha1.WebhookReceiver, conditionType string, status metav1.ConditionStatus, reason string,
) *metav1.Condition {
	t.Helper()
	var condition *metav1.Condition
	wait.For(t, fmt.Sprintf("%s=%s/%s of %s", conditionType, status, reason, receiver.Name), func() error {
		cluster.Get(t, receiver)
		condition = apimeta.FindStatusCondition(receiver.Status.Conditions, conditionType)
		if condition == nil || condition.Status != status || condition.Reason != reason ||
			condition.ObservedGeneration != receiver.Generation {
			return fmt.Errorf("generation %d has the conditions %+v", receiver.Generation, receiver.Status.Conditions)
		}
		return nil
	})
	return condition
}

func named[T client.Object](object T, name string) T {
	object.SetNamespace(meta.DefaultNamespace)
	object.SetName(name)
	return object
}

// children are the objects that go with their WebhookReceiver.
func children(receiver string) []client.Object {
	name := meta.ReceiverName(receiver)
	return []client.Object{
		named(&corev1.ServiceAccount{}, name), named(&rbacv1.Role{}, name), named(&rbacv1.RoleBinding{}, name),
		named(&networkingv1.NetworkPolicy{}, name), named(&corev1.Service{}, name),
		named(&corev1.Service{}, meta.InternalServiceName(receiver)),
		named(&policyv1.PodDisruptionBudget{}, name), named(&appsv1.Deployment{}, name),
	}
}

// rollOut plays the Deployment controller: every pod of the newest template serves.
func rollOut(t *testing.T, receiver string, ready int32) {
	t.Helper()
	deployment := named(&appsv1.Deployment{}, meta.ReceiverName(receiver))
	wait.For(t, "status of Deployment "+deployment.Name, func() error {
		cluster.Get(t, deployment)
		replicas := *deployment.Spec.Replicas
		deployment.Status = appsv1.DeploymentStatus{
			ObservedGeneration: deployment.Generation, Replicas: replicas, UpdatedReplicas: replicas,
			ReadyReplicas: ready, AvailableReplicas: ready,
		}
		return cluster.Client.Status().Update(t.Context(), deployment)
	})
}

func TestApplies(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("applies")
	cluster.Create(t, receiver)
	waitCondition(t, receiver, v1alpha1.ConditionAvailable, metav1.ConditionFalse, v1alpha1.ReasonRollingOut)
	for _, child := range children(receiver.Name) {
		cluster.Get(t, child)
		if !metav1.IsControlledBy(child, receiver) {
			t.Errorf("%T %s is owned by %v, want by the WebhookReceiver", child, child.GetName(), child.GetOwnerReferences())
		}
	}
	claim := named(&corev1.PersistentVolumeClaim{}, meta.StoreClaimName(receiver.Name))
	cluster.Get(t, claim)
	if len(claim.OwnerReferences) != 0 {
		t.Errorf("the claim is owned by %v, want by nobody", claim.OwnerReferences)
	}
	if !strings.Contains(receiver.Status.Guarantee, "fsync'd on one volume") {
		t.Errorf("status.guarantee is %q", receiver.Status.Guarantee)
	}
	if !strings.Contains(receiver.Status.Selector, "app.kubernetes.io/instance="+receiver.Name) {
		t.Errorf("status.selector is %q", receiver.Status.Selector)
	}
	waitCondition(t, receiver, v1alpha1.ConditionDurable, metav1.ConditionTrue, v1alpha1.ConditionDurable)

	rollOut(t, receiver.Name, 1)
	waitCondition(t, receiver, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ConditionReady)
	if receiver.Status.Replicas != 1 || *receiver.Status.ReadyReplicas != 1 {
		t.Errorf("status has %d replicas, %d ready", receiver.Status.Replicas, *receiver.Status.ReadyReplicas)
	}

	// A new template is not served by the old pods, whatever the status of the
	// Deployment said before.
	controltest.Change(t, cluster, receiver, func(r *v1alpha1.WebhookReceiver) { r.Spec.Image = "postern:next" })
	waitCondition(t, receiver, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonRollingOut)
	rollOut(t, receiver.Name, 1)
	waitCondition(t, receiver, v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ConditionReady)
}

func TestHandEditsAreReverted(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("edits")
	cluster.Create(t, receiver)
	waitCondition(t, receiver, v1alpha1.ConditionDeployed, metav1.ConditionTrue, v1alpha1.ConditionDeployed)

	role := named(&rbacv1.Role{}, meta.ReceiverName(receiver.Name))
	controltest.Change(t, cluster, role, func(r *rbacv1.Role) { r.Rules[0].Verbs = []string{"*"} })
	wait.For(t, "the role is put right", func() error {
		cluster.Get(t, role)
		if len(role.Rules) != 1 || len(role.Rules[0].Verbs) != 3 {
			return fmt.Errorf("its rules are %v", role.Rules)
		}
		return nil
	})
	service := named(&corev1.Service{}, meta.ReceiverName(receiver.Name))
	cluster.Get(t, service)
	uid := service.UID
	cluster.Delete(t, service)
	wait.For(t, "the Service comes back", func() error {
		err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(service), service)
		if err == nil && service.UID == uid {
			return errors.New("it is the old one")
		}
		return err
	})
}

// TestForeignObject: what somebody else made under a wanted name is not touched.
func TestForeignObject(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("foreign")
	theirs := named(&corev1.Service{
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1234}}},
	}, meta.ReceiverName(receiver.Name))
	cluster.Create(t, theirs, receiver)
	condition := waitCondition(t, receiver, v1alpha1.ConditionDeployed, metav1.ConditionFalse,
		v1alpha1.ReasonForeignObject)
	if !strings.Contains(condition.Message, "Service postern-system/"+theirs.Name) {
		t.Errorf("the message does not name the object: %q", condition.Message)
	}
	cluster.Get(t, theirs)
	if len(theirs.Labels) != 0 || theirs.Spec.Ports[0].Port != 1234 {
		t.Errorf("somebody else's Service was changed: %v %v", theirs.Labels, theirs.Spec.Ports)
	}
	cluster.Get(t, named(&appsv1.Deployment{}, meta.ReceiverName(receiver.Name))) // the others are applied
}

// TestLeftoversArePruned: what an earlier release made under another name goes.
func TestLeftoversArePruned(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("prunes")
	old := named(&corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 1}}}}, "old-"+receiver.Name)
	old.Labels = meta.ReceiverLabels(receiver.Name)
	neighbour := old.DeepCopy()
	neighbour.Name, neighbour.Labels = "neighbour-of-"+receiver.Name, meta.ReceiverLabels("somebody-else")
	cluster.Create(t, old, neighbour, receiver)
	wait.For(t, "the leftover is gone", func() error {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(old), old); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it is there: %w", err)
		}
		return nil
	})
	cluster.Get(t, neighbour)
}

func TestChangeOfStoreKeepsTheClaim(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("moves")
	cluster.Create(t, receiver)
	waitCondition(t, receiver, v1alpha1.ConditionDeployed, metav1.ConditionTrue, v1alpha1.ConditionDeployed)
	controltest.Change(t, cluster, receiver, func(r *v1alpha1.WebhookReceiver) {
		r.Spec.Store = v1alpha1.Store{Type: v1alpha1.StoreTypeExternal, External: v1alpha1.ExternalStore{
			URLSecretRef: v1alpha1.URLSecretReference{Name: receiver.Name + "-store"},
		}}
		r.Spec.Replicas = ptr.To[int32](3)
	})
	condition := waitCondition(t, receiver, v1alpha1.ConditionAvailable, metav1.ConditionFalse,
		v1alpha1.ReasonSecretNotFound)
	if !strings.Contains(condition.Message, "store.external.urlSecretRef") {
		t.Errorf("the message does not name the field: %q", condition.Message)
	}
	deployment := named(&appsv1.Deployment{}, meta.ReceiverName(receiver.Name))
	cluster.Get(t, deployment)
	if len(deployment.Spec.Template.Spec.InitContainers) != 0 || *deployment.Spec.Replicas != 3 ||
		deployment.Spec.Strategy.Type != appsv1.RollingUpdateDeploymentStrategyType {
		t.Errorf("the Deployment still has a store of its own: %+v", deployment.Spec)
	}
	cluster.Get(t, named(&corev1.PersistentVolumeClaim{}, meta.StoreClaimName(receiver.Name)))

	// And back again, over the defaults that the API server filled in.
	controltest.Change(t, cluster, receiver, func(r *v1alpha1.WebhookReceiver) {
		r.Spec.Store = v1alpha1.Store{Type: v1alpha1.StoreTypeSidecar, Sidecar: v1alpha1.SidecarStore{
			Persistence: v1alpha1.StorePersistence{Type: v1alpha1.PersistenceEmptyDir},
		}}
		r.Spec.Replicas = ptr.To[int32](1)
	})
	waitCondition(t, receiver, v1alpha1.ConditionDurable, metav1.ConditionFalse, v1alpha1.ReasonEmptyDir)
	waitCondition(t, receiver, v1alpha1.ConditionDeployed, metav1.ConditionTrue, v1alpha1.ConditionDeployed)
	cluster.Get(t, deployment)
	strategy := deployment.Spec.Strategy
	if strategy.Type != appsv1.RecreateDeploymentStrategyType || strategy.RollingUpdate != nil {
		t.Errorf("the strategy is %+v, want Recreate", strategy)
	}
}

func TestScaledToZero(t *testing.T) {
	t.Parallel()
	receiver := webhookReceiver("zero")
	receiver.Spec.Replicas = ptr.To[int32](0)
	cluster.Create(t, receiver)
	waitCondition(t, receiver, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonScaledToZero)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	elsewhere := webhookReceiver("elsewhere")
	elsewhere.Namespace = cluster.Namespace(t)
	cluster.Create(t, elsewhere)
	waitCondition(t, elsewhere, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonWrongNamespace)

	long := webhookReceiver(strings.Repeat("long", 13))
	cluster.Create(t, long)
	waitCondition(t, long, v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalidName)
}

func TestRefusedWithoutImage(t *testing.T) {
	t.Parallel()
	system := cluster.Namespace(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended, err := manage(ctx, controllers.Options{Namespace: system, WatchNamespaces: []string{system}})
	if err != nil {
		t.Fatal(err)
	}
	receiver := webhookReceiver("default")
	receiver.Namespace = system
	cluster.Create(t, receiver)
	// The suite's manager has its own word on a receiver in a foreign namespace,
	// so the condition may be either's; the event stays.
	wait.For(t, "a Warning about --image", func() error {
		var events eventsv1.EventList
		if err := cluster.Client.List(t.Context(), &events, client.InNamespace(system)); err != nil {
			return err
		}
		for _, event := range events.Items {
			if event.Type == corev1.EventTypeWarning && event.Reason == v1alpha1.ReasonInvalidSpec &&
				strings.Contains(event.Note, "--image") {
				return nil
			}
		}
		return fmt.Errorf("there are %d other events", len(events.Items))
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
