package status

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Patcher writes status. It remembers the version that each write made: a
// cache that lags behind would otherwise hide that a condition has to change
// back, and nothing would come by to notice. It is safe for concurrent use.
type Patcher struct {
	client client.Client

	mu      sync.Mutex
	written map[types.UID]string
}

// NewPatcher returns a Patcher.
func NewPatcher(c client.Client) *Patcher {
	return &Patcher{client: c, written: map[types.UID]string{}}
}

// Stale says whether the object was read from before the last write.
func (p *Patcher) Stale(object client.Object) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	written, ok := p.written[object.GetUID()]
	if !ok {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(object.GetResourceVersion(), written)
	if err != nil || order >= 0 {
		delete(p.written, object.GetUID())
		return false
	}
	return true
}

// Patch writes the difference between two states of an object's status, and
// nothing if there is none.
func (p *Patcher) Patch(ctx context.Context, before, after client.Object) (changed bool, err error) {
	patch := client.MergeFrom(before)
	data, err := patch.Data(after)
	if err != nil {
		return false, fmt.Errorf("compute status of %s: %w", client.ObjectKeyFromObject(after), err)
	}
	if string(data) == "{}" {
		return false, nil
	}
	if err := p.client.Status().Patch(ctx, after, patch); err != nil {
		return false, fmt.Errorf("patch status of %s: %w", client.ObjectKeyFromObject(after), err)
	}
	p.Wrote(after)
	return true, nil
}

// Wrote remembers the version that a write made that was not done by [Patcher.Patch].
func (p *Patcher) Wrote(object client.Object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.written[object.GetUID()] = object.GetResourceVersion()
}
