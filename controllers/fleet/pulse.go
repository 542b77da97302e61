package fleet

import (
	"cmp"
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

// heard is what the pods of a WebhookReceiver say while they serve.
type heard struct {
	// full is why a pod refuses new events, shortened why one may take late copies
	// for new events; empty when none does.
	full, shortened string
}

// Pulse asks the pods that serve how their stores are. It is a runnable of the
// manager and safe for concurrent use.
type Pulse struct {
	PulseOptions

	mu    sync.Mutex
	known map[string]heard
	// changed names WebhookReceivers whose finding is another than before.
	changed chan event.TypedGenericEvent[types.NamespacedName]
}

// NewPulse returns a Pulse that [Reconciler] listens to.
func NewPulse(options PulseOptions) *Pulse {
	return &Pulse{
		PulseOptions: options,
		known:        map[string]heard{},
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
			p.Logger.Error(err, "Asking receivers how their stores are failed")
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
	return finding(v1alpha1.ReasonStoreFull, p.of(receiver).full)
}

// Shortened is why a pod may take late copies for new events, nil if none does.
func (p *Pulse) Shortened(receiver string) *status.Finding {
	return finding(v1alpha1.ReasonMarksGaveWay, p.of(receiver).shortened)
}

func (p *Pulse) of(receiver string) heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known[receiver]
}

func finding(reason, message string) *status.Finding {
	if message == "" {
		return nil
	}
	return &status.Finding{Reason: reason, Message: message}
}

func (p *Pulse) round(ctx context.Context) error {
	var pods corev1.PodList
	err := p.Client.List(ctx, &pods, client.InNamespace(p.Namespace), client.MatchingLabels(meta.AllReceiversSelector()))
	if err != nil {
		return err
	}
	// In the same order each time, so that the first to say something stays the same.
	slices.SortFunc(pods.Items, func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	answers := make([]heard, len(pods.Items))
	var asked sync.WaitGroup
	for i := range pods.Items {
		if confirm.PodReady(&pods.Items[i]) {
			asked.Go(func() { answers[i] = p.ask(ctx, &pods.Items[i]) })
		}
	}
	asked.Wait()
	found := map[string]heard{}
	for i := range pods.Items {
		name := pods.Items[i].Labels[meta.LabelInstance]
		found[name] = heard{
			full:      cmp.Or(found[name].full, answers[i].full),
			shortened: cmp.Or(found[name].shortened, answers[i].shortened),
		}
	}
	return p.tell(ctx, found)
}

// ask takes a pod that does not answer for one whose store is well: its readiness
// is told by others.
func (p *Pulse) ask(ctx context.Context, pod *corev1.Pod) (said heard) {
	health, err := p.Ask(ctx, confirm.FromPod(pod, p.Port))
	if err != nil {
		return said
	}
	if slices.Contains(health.Causes, route.CauseStoreFull) {
		said.full = "the store of pod " + pod.Name + " is full, and new events are answered 503: bring back the targets " +
			"that its events wait for, replay or purge dead letters, or give it more memory and a larger volume"
	}
	if at := slices.Index(health.Causes, route.CauseDeduplicationShortened); at >= 0 && at < len(health.Reasons) {
		said.shortened = health.Reasons[at] + ". A later copy is delivered once more: give the store more memory, raise " +
			"`namespaceLimits.maxStoredBytes`, or shorten `deduplication.windowSeconds` of busy endpoints"
	}
	return said
}

// tell brings back the WebhookReceivers of which something else is known now.
func (p *Pulse) tell(ctx context.Context, found map[string]heard) error {
	p.mu.Lock()
	before := p.known
	p.known = found
	p.mu.Unlock()
	for _, receivers := range []map[string]heard{before, found} {
		for name := range receivers {
			if before[name] == found[name] {
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
