package fleet

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/controllers/status"
	"github.com/postern-dev/postern/receiver/route"
)

// beat is how often pods that serve are asked: no watch tells that a store
// fills up. It costs the API server nothing.
const beat = 10 * time.Second

// PulseOptions are what a [Pulse] works with.
type PulseOptions struct {
	// Client reads from the manager's cache.
	Client client.Client
	// Ask asks one receiver, at the internal port Port.
	Ask  func(ctx context.Context, receiver confirm.Receiver) (route.Health, error)
	Port int
	// Namespace is the system namespace.
	Namespace string
	Logger    logr.Logger
}

// Pulse asks the pods that serve whether they still take new events. It is a
// runnable of the manager and safe for concurrent use.
type Pulse struct {
	PulseOptions

	mu   sync.Mutex
	full map[string]*status.Finding
	// changed names WebhookReceivers whose finding is another than before.
	changed chan event.TypedGenericEvent[types.NamespacedName]
}

// NewPulse returns a Pulse that [Reconciler] listens to.
func NewPulse(options PulseOptions) *Pulse {
	return &Pulse{
		PulseOptions: options,
		full:         map[string]*status.Finding{},
		changed:      make(chan event.TypedGenericEvent[types.NamespacedName]),
	}
}

// NeedLeaderElection says that only the manager that acts asks.
func (p *Pulse) NeedLeaderElection() bool { return true }

// Start asks until ctx ends.
func (p *Pulse) Start(ctx context.Context) error {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		if err := p.round(ctx); err != nil {
			p.Logger.Error(err, "Looking for full stores failed")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Full is why a pod of the WebhookReceiver refuses new events, nil if none does.
func (p *Pulse) Full(receiver string) *status.Finding {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.full[receiver]
}

func (p *Pulse) round(ctx context.Context) error {
	var pods corev1.PodList
	err := p.Client.List(ctx, &pods, client.InNamespace(p.Namespace), client.MatchingLabels(meta.AllReceiversSelector()))
	if err != nil {
		return err
	}
	found := map[string]*status.Finding{}
	var mu sync.Mutex
	var asked sync.WaitGroup
	for i := range pods.Items {
		pod := &pods.Items[i]
		if !confirm.PodReady(pod) {
			continue
		}
		asked.Go(func() {
			if full := p.ask(ctx, pod); full != nil {
				mu.Lock()
				defer mu.Unlock()
				found[pod.Labels[meta.LabelInstance]] = full
			}
		})
	}
	asked.Wait()
	return p.tell(ctx, found)
}

// ask takes a pod that does not answer for one that has room: its readiness is
// told by others.
func (p *Pulse) ask(ctx context.Context, pod *corev1.Pod) *status.Finding {
	health, err := p.Ask(ctx, confirm.FromPod(pod, p.Port))
	if err != nil || !slices.Contains(health.Causes, route.CauseStoreFull) {
		return nil
	}
	return &status.Finding{
		Reason: v1alpha1.ReasonStoreFull,
		Message: "the store of pod " + pod.Name + " is full, and new events are answered 503: bring back the targets " +
			"that its events wait for, replay or purge dead letters, or give it more memory and a larger volume",
	}
}

// tell brings back the WebhookReceivers of which something else is known now.
func (p *Pulse) tell(ctx context.Context, found map[string]*status.Finding) error {
	p.mu.Lock()
	before := p.full
	p.full = found
	p.mu.Unlock()
	for _, receivers := range []map[string]*status.Finding{before, found} {
		for name := range receivers {
			if (before[name] == nil) == (found[name] == nil) {
				continue
			}
			key := types.NamespacedName{Namespace: p.Namespace, Name: name}
			select {
			case p.changed <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
			case <-ctx.Done():
				return nil
			}
		}
	}
	return nil
}
