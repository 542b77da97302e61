package controllers_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/wait"
)

// reference is a field of the API that names another object.
type reference struct {
	// crosses says that the field may name an object of another namespace, with
	// that namespace's consent. Others have no way to say a namespace.
	crosses bool
	// aim makes an endpoint whose field names the object, which is in the given
	// namespace. Nil for fields of other kinds: those of a WebhookReceiver are
	// resolved by Kubernetes, in the pod's own namespace; a WebhookReplay's
	// endpoint is looked up under the replay's own namespace.
	aim func(endpoint *v1alpha1.WebhookEndpoint, object, namespace string)
	// condition is the one that tells whether the object was found.
	condition string
	// refused is its reason when the object is out of reach.
	refused string
	// used says whether the route has what the object holds.
	used func(*route.Endpoint) bool
}

// canary is the value of every Secret that a reference may name.
const canary = "whsec_Y2FuYXJ5LW9mLXRoZS1yZWZlcmVuY2VkLXNlY3JldA=="

// references has every reference field of the API: [TestReferences] fails for one
// that is not here, so that none is added without saying how far it reaches.
var references = map[string]reference{
	"WebhookEndpoint.spec.secretRef": {
		aim:       func(e *v1alpha1.WebhookEndpoint, object, _ string) { e.Spec.SecretRef.Name = object },
		condition: v1alpha1.ConditionSecretsResolved, refused: v1alpha1.ReasonSecretNotFound,
		used: func(r *route.Endpoint) bool { return len(r.Keys) == 1 && string(r.Keys[0].Value) == canary },
	},
	"WebhookEndpoint.spec.targets.service": {
		crosses: true,
		aim: func(e *v1alpha1.WebhookEndpoint, object, namespace string) {
			e.Spec.Targets[0].Service = v1alpha1.ServiceReference{
				Name: object, Namespace: namespace, Port: intstr.FromInt32(80),
			}
		},
		condition: v1alpha1.ConditionTargetsResolved, refused: v1alpha1.ReasonNotPermitted,
		used: func(r *route.Endpoint) bool { return len(r.Targets) == 1 },
	},
	"WebhookEndpoint.spec.targets.signingSecretRef": {
		aim: func(e *v1alpha1.WebhookEndpoint, object, _ string) {
			e.Spec.Targets[0].SigningSecretRef = v1alpha1.SecretKeyReference{Name: object, Key: "secret"}
		},
		condition: v1alpha1.ConditionSecretsResolved, refused: v1alpha1.ReasonSecretNotFound,
		used: func(r *route.Endpoint) bool { return len(r.Targets) == 1 && len(r.Targets[0].SigningKey) > 0 },
	},
	"WebhookReceiver.spec.imagePullSecrets":            {},
	"WebhookReceiver.spec.store.external.tlsSecretRef": {},
	"WebhookReceiver.spec.store.external.urlSecretRef": {},
	"WebhookReceiver.spec.tls.secretName":              {},
	"WebhookReceiver.spec.tracing.headersSecretRef":    {},
	"WebhookReplay.spec.endpointRef":                   {},
}

// TestReferences finds every reference field of the API by reflection and leads
// each through consent: in the own namespace and in another, without a grant,
// with one, and after it was taken back.
func TestReferences(t *testing.T) {
	found := referenceFields(t)
	for field, crosses := range found {
		if known, ok := references[field]; !ok {
			t.Errorf("%s names another object and has no case: say in `references` how far it reaches", field)
		} else if known.crosses != crosses {
			t.Errorf("%s: can name a namespace: %v, want %v", field, crosses, known.crosses)
		}
	}
	for field := range references {
		if _, ok := found[field]; !ok {
			t.Errorf("there is no field %s", field)
		}
	}
	if t.Failed() {
		return
	}
	manageForReferences(t)
	for _, field := range slices.Sorted(maps.Keys(references)) {
		if references[field].aim == nil {
			continue
		}
		for _, elsewhere := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/elsewhere=%v", field, elsewhere), func(t *testing.T) {
				follow(t, references[field], elsewhere)
			})
		}
	}
}

// referenceFields returns the fields of all kinds that name other objects, and
// whether they can name a namespace.
func referenceFields(t *testing.T) map[string]bool {
	t.Helper()
	scheme, err := controllers.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for kind, object := range scheme.KnownTypes(v1alpha1.GroupVersion) {
		if spec, ok := object.FieldByName("Spec"); ok && object.PkgPath() == reflect.TypeFor[v1alpha1.Target]().PkgPath() {
			collect(kind+".spec", spec.Type, found)
		}
	}
	if len(found) < 6 {
		t.Fatalf("only %v were found", found)
	}
	return found
}

func collect(path string, of reflect.Type, found map[string]bool) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice || of.Kind() == reflect.Map {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || of.PkgPath() != reflect.TypeFor[v1alpha1.Target]().PkgPath() {
		return
	}
	if strings.HasSuffix(of.Name(), "Reference") {
		_, found[path] = of.FieldByName("Namespace")
		return
	}
	for i := range of.NumField() {
		field := of.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		// A reference need not have a type of its own.
		if field.Type.Kind() == reflect.String && strings.HasSuffix(name, "Name") && namesObject(name) {
			found[path+"."+name] = false
		}
		collect(path+"."+name, field.Type, found)
	}
}

// namesObject leaves out names of classes, which hold nothing and are
// cluster-scoped.
func namesObject(name string) bool { return !strings.HasSuffix(name, "ClassName") }

// manageForReferences runs a manager for as long as the test takes.
func manageForReferences(t *testing.T) {
	t.Helper()
	ensure(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: meta.DefaultNamespace}})
	if err := cluster.InstallGrants(t.Context()); err != nil {
		t.Fatal(err)
	}
	answerer := controltest.NewReceiver(cluster, meta.DefaultNamespace)
	t.Cleanup(answerer.Close)
	options := controllers.Options{Image: "postern:test", ReceiverURLs: []string{answerer.URL()}}
	ctx, cancel := context.WithCancel(context.Background())
	ended, err := cluster.Manage(ctx, controllers.CacheOptions(options), func(mgr ctrl.Manager) error {
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
}

// follow leads one reference through consent.
func follow(t *testing.T, r reference, elsewhere bool) {
	t.Helper()
	namespace := cluster.Namespace(t)
	objects := namespace
	if elsewhere {
		objects = cluster.Namespace(t)
	}
	const object = "referenced"
	cluster.Create(t, own(namespace)...)
	cluster.Create(t,
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: objects, Name: object},
			StringData: map[string]string{"secret": canary},
		},
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: objects, Name: object},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		})
	endpoint := &v1alpha1.WebhookEndpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "hook"},
		Spec: v1alpha1.WebhookEndpointSpec{
			Source:    v1alpha1.Source{Provider: "github"},
			SecretRef: v1alpha1.SecretKeysReference{Name: "own"},
			Targets: []v1alpha1.Target{{
				Service: v1alpha1.ServiceReference{Name: "own", Port: intstr.FromInt32(80)},
			}},
		},
	}
	r.aim(endpoint, object, objects)
	cluster.Create(t, endpoint)
	expect(t, "without a grant", r, endpoint, !elsewhere)
	grant := consent(namespace, objects)
	cluster.Create(t, grant)
	expect(t, "with a grant", r, endpoint, !elsewhere || r.crosses)
	cluster.Delete(t, grant)
	expect(t, "after the grant was taken back", r, endpoint, !elsewhere)
}

// own is what an endpoint needs beside the reference that is looked at.
func own(namespace string) []client.Object {
	return []client.Object{
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "own"},
			StringData: map[string]string{"secret": "own"},
		},
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "own"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		},
	}
}

// consent lets endpoints of one namespace name Secrets and Services of another.
func consent(from, to string) *gatewayv1beta1.ReferenceGrant {
	return &gatewayv1beta1.ReferenceGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: to, Name: "hooks"},
		Spec: gatewayv1beta1.ReferenceGrantSpec{
			From: []gatewayv1.ReferenceGrantFrom{{
				Group: gatewayv1.Group(v1alpha1.GroupVersion.Group), Kind: v1alpha1.KindWebhookEndpoint,
				Namespace: gatewayv1.Namespace(from),
			}},
			To: []gatewayv1.ReferenceGrantTo{{Kind: "Service"}, {Kind: "Secret"}},
		},
	}
}

// expect waits until condition and route say whether the object is in reach. A
// state that must not come is given the time of one that must: an edit that is
// seen through.
func expect(t *testing.T, when string, r reference, endpoint *v1alpha1.WebhookEndpoint, reached bool) {
	t.Helper()
	controltest.Change(t, cluster, endpoint, func(e *v1alpha1.WebhookEndpoint) { e.Spec.MaxBodyBytes += 1024 })
	wait.For(t, fmt.Sprintf("%s: in reach is %v", when, reached), func() error {
		cluster.Get(t, endpoint)
		condition := apimeta.FindStatusCondition(endpoint.Status.Conditions, r.condition)
		if condition == nil || condition.ObservedGeneration != endpoint.Generation {
			return fmt.Errorf("the edit was not seen yet: %+v", endpoint.Status.Conditions)
		}
		if is := condition.Status == metav1.ConditionTrue; is != reached || !is && condition.Reason != r.refused {
			return fmt.Errorf("condition is %s/%s: %s", condition.Status, condition.Reason, condition.Message)
		}
		secret := &corev1.Secret{}
		key := client.ObjectKey{Namespace: meta.DefaultNamespace, Name: meta.RouteName(endpoint.UID)}
		if err := cluster.Client.Get(t.Context(), key, secret); err != nil {
			return err
		}
		loaded, err := route.Unmarshal(secret.Data[meta.RouteKey])
		if err != nil {
			return err
		}
		if r.used(loaded) != reached {
			return fmt.Errorf("the route uses the object: %v", !reached)
		}
		if !reached && holds(secret.Data[meta.RouteKey], canary) {
			return errors.New("the route has a Secret that is out of reach")
		}
		return nil
	})
}

// holds looks for a secret in a route's document in every form that it may have there.
func holds(document []byte, secret string) bool {
	text := string(document)
	return strings.Contains(text, secret) || strings.Contains(text, strings.TrimPrefix(secret, "whsec_")) ||
		strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(secret)))
}
