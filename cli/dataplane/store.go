package dataplane

import (
	"context"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/receiver/queue"
)

// Memory is the store URL of a store that forgets everything.
const Memory = "memory"

// StoreOptions say which store is used.
type StoreOptions struct {
	// URL is [Memory], unix:///path, redis://… or rediss://…; it may hold a
	// password and is never logged.
	URL string
	// User overrides the URL's user.
	User string
	// TLSDir holds certificates for rediss://; see [queue.Options].
	TLSDir string
	// DataDir is the store's directory, if this process can see it.
	DataDir string
	// Exclusive tells that no other process uses the store: leases that are found
	// at start belong to nobody.
	Exclusive bool
	// Drain delivers what the store holds before this process ends, because the
	// store does not outlive it.
	Drain bool
	// AllowWeakDurability accepts settings that lose acknowledged events.
	AllowWeakDurability bool
	// AdoptFrom is the id of the installation whose store may be taken over.
	AdoptFrom string
}

// opened is a store with what must be known about it.
type opened struct {
	queue.Store
	volatile bool
	close    func()
}

func (o StoreOptions) open(ctx context.Context) (*opened, error) {
	if o.URL == Memory {
		return &opened{Store: queue.NewMemory(queue.MemoryOptions{}), volatile: true, close: func() {}}, nil
	}
	// The store must outlive the signal to stop: draining needs it.
	store, err := queue.NewRedis(context.WithoutCancel(ctx), queue.Options{
		URL: o.URL, Username: o.User, TLSDir: o.TLSDir, DataDir: o.DataDir, Exclusive: o.Exclusive,
		AllowWeakDurability: o.AllowWeakDurability, AdoptFrom: o.AdoptFrom,
	})
	if err != nil {
		// A store that does not answer is no error here; one that cannot be is.
		return nil, exit.Usagef("--store: %w", err)
	}
	return &opened{Store: store, close: store.Close}, nil
}
