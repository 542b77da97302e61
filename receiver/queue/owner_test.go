package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/event"
	"github.com/postern-dev/postern/receiver/queue"
	"github.com/postern-dev/postern/receiver/queue/queuetest"
	"github.com/postern-dev/postern/receiver/queue/redistest"
	"github.com/postern-dev/postern/test/wait"
)

func tenant(t *testing.T, url, installation, adoptFrom string) *queue.Redis {
	t.Helper()
	store := queuetest.Connect(t, queue.Options{
		URL: url, AdoptFrom: adoptFrom, PollInterval: 20 * time.Millisecond, AllowWeakDurability: true,
	})
	store.SetInstallation(t.Context(), installation)
	return store
}

var ownerEvents int

func admitOne(ctx context.Context, store *queue.Redis) error {
	ownerEvents++
	_, err := store.Admit(ctx, &queue.Admission{
		Event: &event.Event{
			ID: fmt.Sprintf("%032x", ownerEvents), EndpointUID: "uid", Namespace: "ci", Endpoint: "in", ReceivedAt: time.Now(),
		},
		Targets: []string{"a"},
	})
	return err
}

// TestStoreBelongsToOneInstallation: the first owner claims a store that has
// none, and another is refused until it takes the store over on purpose.
func TestStoreBelongsToOneInstallation(t *testing.T) {
	for name, url := range map[string]string{
		"server": redistest.Start(t).URL(), "cluster": redistest.StartCluster(t, 3, false).URL(),
	} {
		t.Run(name, func(t *testing.T) {
			unknown := tenant(t, url, "", "")
			if err := errors.Join(admitOne(t.Context(), unknown), unknown.Health(t.Context())); err != nil {
				t.Fatalf("a receiver whose manager tells no installation is refused: %v", err)
			}
			first := tenant(t, url, "one", "")
			if err := errors.Join(admitOne(t.Context(), first), first.Health(t.Context())); err != nil {
				t.Fatalf("the first owner of a store from before is refused: %v", err)
			}
			for _, adoptFrom := range []string{"", "three"} {
				second := tenant(t, url, "two", adoptFrom)
				if err := admitOne(t.Context(), second); !errors.Is(err, queue.ErrUnavailable) {
					t.Errorf("another installation's receiver admitted an event: %v", err)
				}
				owner, ok := errors.AsType[*queue.OwnerError](second.Health(t.Context()))
				if !ok || owner.Owner != "one" || owner.Own != "two" {
					t.Errorf("another installation's receiver is %v", second.Health(t.Context()))
				}
			}
			again := tenant(t, url, "one", "")
			if err := admitOne(t.Context(), again); err != nil {
				t.Errorf("another replica of the owner is refused: %v", err)
			}
			heir := tenant(t, url, "two", "one")
			if err := errors.Join(admitOne(t.Context(), heir), heir.Health(t.Context())); err != nil {
				t.Errorf("a store that is taken over refuses: %v", err)
			}
			wait.Until(t, "the owner before admits nothing more", func() bool { return admitOne(t.Context(), first) != nil })
		})
	}
}
