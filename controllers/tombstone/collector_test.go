package tombstone_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/controltest"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/controllers/tombstone"
	"github.com/postern-dev/postern/receiver/route"
)

var cluster *controltest.Cluster

func TestMain(m *testing.M) {
	os.Exit(controltest.Main(controllers.NewScheme, func(started *controltest.Cluster) (int, error) {
		cluster = started
		return m.Run(), nil
	}))
}

var (
	noon    = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)
	errAway = errors.New("no answer")
)

// TestCollect: a tombstone goes when all receivers have purged the events, not
// within a day, and in any case after thirty.
func TestCollect(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		age time.Duration
		// purged are the receivers that have purged the events, silent those that
		// give no answer; external is how many there should be.
		purged, silent, external int
		available                bool
		kept                     bool
	}{
		"purged by both":            {age: 25 * time.Hour, purged: 2, available: true},
		"purged by one":             {age: 25 * time.Hour, purged: 1, available: true, kept: true},
		"young":                     {age: 23 * time.Hour, purged: 2, available: true, kept: true},
		"one does not answer":       {age: 25 * time.Hour, purged: 2, silent: 1, available: true, kept: true},
		"a receiver is away":        {age: 25 * time.Hour, purged: 2, kept: true},
		"by URL, purged by both":    {age: 25 * time.Hour, purged: 2, external: 2},
		"by URL, a receiver away":   {age: 25 * time.Hour, purged: 2, external: 3, kept: true},
		"old, purged by none":       {age: 31 * 24 * time.Hour, available: true},
		"old, no receiver anywhere": {age: 31 * 24 * time.Hour, silent: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := cluster.Namespace(t)
			receiver := &v1alpha1.WebhookReceiver{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"}}
			cluster.Create(t, receiver)
			if test.available {
				receiver.Status.Conditions = []metav1.Condition{{
					Type: v1alpha1.ConditionAvailable, Status: metav1.ConditionTrue, Reason: "Ready", LastTransitionTime: metav1.Now(),
				}}
				if err := cluster.Client.Status().Update(t.Context(), receiver); err != nil {
					t.Fatal(err)
				}
			}
			secret := buried(t, namespace, "uid-gone", noon.Add(-test.age))
			collector := &tombstone.Collector{
				Client: cluster.Client, Writer: apply.NewWriter(cluster.Client, cluster.Client),
				Receivers: func(context.Context) ([]confirm.Receiver, error) {
					return []confirm.Receiver{{Name: "0"}, {Name: "1"}}, nil
				},
				Ask: func(_ context.Context, receiver confirm.Receiver) ([]string, error) {
					number := int(receiver.Name[0] - '0')
					if number < test.silent {
						return nil, errAway
					}
					if number < test.purged {
						return []string{"uid-other", "uid-gone"}, nil
					}
					return []string{"uid-other"}, nil
				},
				External: test.external, Namespace: namespace, Logger: logr.Discard(), Clock: clocktesting.NewFakePassiveClock(noon),
			}
			if err := collector.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
			err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(secret), secret)
			if client.IgnoreNotFound(err) != nil {
				t.Fatal(err)
			}
			if kept := !apierrors.IsNotFound(err) && secret.DeletionTimestamp == nil; kept != test.kept {
				t.Errorf("the tombstone is kept: %t, want %t", kept, test.kept)
			}
		})
	}
}

func buried(t *testing.T, namespace, uid string, at time.Time) *corev1.Secret {
	t.Helper()
	document, err := (&route.Tombstone{SchemaVersion: route.TombstoneVersion, UID: uid, DeletedAt: at}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: meta.TombstoneName(types.UID(uid)), Labels: meta.TombstoneLabels(),
		},
		Type: meta.SecretTypeTombstone,
		Data: map[string][]byte{meta.TombstoneKey: document},
	}
	cluster.Create(t, secret)
	return secret
}
