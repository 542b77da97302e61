package server

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/receiver/metrics"
	"github.com/postern-dev/postern/receiver/route"
)

// keyUse remembers when each key of an endpoint last verified a request, beside
// the metrics that say the same: the manager asks for it, so that the endpoint's
// own status tells when an old key can go.
type keyUse struct {
	*metrics.Metrics
	now  func() time.Time
	last sync.Map // of keyOf to *atomic.Int64, Unix seconds
}

type keyOf struct{ uid, key string }

// KeyUsed is called for every verified request.
func (k *keyUse) KeyUsed(endpoint *route.Endpoint, key string) {
	k.Metrics.KeyUsed(endpoint, key)
	name := keyOf{endpoint.UID, key}
	at, known := k.last.Load(name)
	if !known {
		at, _ = k.last.LoadOrStore(name, new(atomic.Int64))
	}
	at.(*atomic.Int64).Store(k.now().Unix())
}

// of returns when the keys of a route were last used; nil if none was.
func (k *keyUse) of(endpoint *route.Endpoint) map[string]time.Time {
	var used map[string]time.Time
	for _, key := range endpoint.Keys {
		at, known := k.last.Load(keyOf{endpoint.UID, key.Name})
		if !known {
			continue
		}
		if used == nil {
			used = map[string]time.Time{}
		}
		used[key.Name] = time.Unix(at.(*atomic.Int64).Load(), 0).UTC()
	}
	return used
}

// keep forgets the endpoints that are gone.
func (k *keyUse) keep(exists func(uid string) bool) {
	k.last.Range(func(name, _ any) bool {
		if !exists(name.(keyOf).uid) {
			k.last.Delete(name)
		}
		return true
	})
}
