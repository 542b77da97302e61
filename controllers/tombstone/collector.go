// Package tombstone removes the tombstones of endpoints once every receiver has
// purged their events, or after a long time.
//
// It imports the API and of the controllers apply, confirm and meta. The endpoint
// controller writes tombstones.
package tombstone

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
)

const (
	// interval is how often tombstones are looked at.
	interval = time.Minute
	// Least is how long a tombstone is kept although all receivers have purged the
	// events: a receiver that is stopping, or cut off, is not among those asked.
	Least = 24 * time.Hour
	// Most is how long a tombstone waits for receivers that are away. A store that
	// is away for longer keeps the events of deleted endpoints.
	Most = 30 * 24 * time.Hour
)

// AskFunc returns the UIDs of the deleted endpoints that a receiver has purged.
type AskFunc func(ctx context.Context, receiver confirm.Receiver) ([]string, error)

// Collector removes tombstones. It is a runnable of the manager.
type Collector struct {
	// Client reads from the manager's cache, Writer deletes.
	Client client.Client
	Writer *apply.Writer
	// Receivers lists the receivers that are ready, Ask asks one.
	Receivers confirm.Source
	Ask       AskFunc
	// External is how many receivers are reached by URL; 0 means that they are pods.
	External int
	// Namespace is the system namespace.
	Namespace string
	Logger    logr.Logger
	Clock     clock.PassiveClock
}

// NeedLeaderElection says that one manager deletes.
func (c *Collector) NeedLeaderElection() bool { return true }

// Start collects until ctx ends.
func (c *Collector) Start(ctx context.Context) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := c.Collect(ctx); err != nil && ctx.Err() == nil {
			c.Logger.Error(err, "Tombstones were not collected")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Collect removes the tombstones that have done their work.
func (c *Collector) Collect(ctx context.Context) error {
	var secrets corev1.SecretList
	err := c.Client.List(ctx, &secrets, client.InNamespace(c.Namespace),
		client.MatchingLabels{meta.LabelTombstone: meta.LabelTrue})
	if err != nil {
		return fmt.Errorf("list tombstones: %w", err)
	}
	var purged func(uid string) bool
	for i := range secrets.Items {
		secret := &secrets.Items[i]
		tombstone, err := route.UnmarshalTombstone(secret.Data[meta.TombstoneKey])
		if err != nil {
			c.Logger.Error(err, "Tombstone is not readable and is left alone", "secret", secret.Name)
			continue
		}
		age := c.Clock.Since(tombstone.DeletedAt)
		if age < Least {
			continue
		}
		if purged == nil {
			if purged, err = c.purgedEverywhere(ctx); err != nil {
				return err
			}
		}
		if age < Most && !purged(tombstone.UID) {
			continue
		}
		if err := c.Writer.Delete(ctx, secret); err != nil {
			return err
		}
	}
	return nil
}

// purgedEverywhere asks all receivers. When one is away, or does not answer,
// nothing counts as purged.
func (c *Collector) purgedEverywhere(ctx context.Context) (func(uid string) bool, error) {
	nothing := func(string) bool { return false }
	receivers, err := c.Receivers(ctx)
	if err != nil {
		return nil, err
	}
	if whole, err := c.whole(ctx, len(receivers)); err != nil || !whole {
		return nothing, err
	}
	answers := make([][]string, len(receivers))
	for i, receiver := range receivers {
		if answers[i], err = c.Ask(ctx, receiver); err != nil {
			return nothing, nil //nolint:nilerr // the next round asks again
		}
	}
	return func(uid string) bool {
		return !slices.ContainsFunc(answers, func(answer []string) bool { return !slices.Contains(answer, uid) })
	}, nil
}

// whole says whether all receivers are among those that are ready.
func (c *Collector) whole(ctx context.Context, ready int) (bool, error) {
	if c.External > 0 || ready == 0 {
		return ready > 0 && ready == c.External, nil
	}
	var receivers v1alpha1.WebhookReceiverList
	if err := c.Client.List(ctx, &receivers, client.InNamespace(c.Namespace)); err != nil {
		return false, fmt.Errorf("list WebhookReceivers: %w", err)
	}
	for i := range receivers.Items {
		if !apimeta.IsStatusConditionTrue(receivers.Items[i].Status.Conditions, v1alpha1.ConditionAvailable) {
			return false, nil
		}
	}
	return true, nil
}
