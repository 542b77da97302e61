package fault

import (
	"context"
	"time"

	"github.com/postern-dev/postern/test/chaos/traffic"
)

// F9: targets do not do what they should.
var (
	TargetFails   = behaving("F9 target answers 500", traffic.Behaviour{Kind: traffic.Fail, Status: 500})
	TargetRefuses = behaving("F9 target answers 422", traffic.Behaviour{Kind: traffic.Fail, Status: 422})
	TargetDown    = behaving("F9 target answers 503 with Retry-After",
		traffic.Behaviour{Kind: traffic.Fail, Status: 503, RetryAfter: 1})
	TargetBusy = behaving("F9 target answers 429 with Retry-After",
		traffic.Behaviour{Kind: traffic.Busy, RetryAfter: 1})
	TargetRedirects = behaving("F9 target redirects", traffic.Behaviour{Kind: traffic.Redirect})
	TargetHuge      = behaving("F9 target answers 8 MiB", traffic.Behaviour{Kind: traffic.Huge})
	TargetSlow      = behaving("F9 target takes half a second",
		traffic.Behaviour{Kind: traffic.Slow, Delay: 500 * time.Millisecond})
	TargetLate = behaving("F9 target answers after the timeout",
		traffic.Behaviour{Kind: traffic.Slow, Delay: 2500 * time.Millisecond})
	TargetHangs  = behaving("F9 target hangs", traffic.Behaviour{Kind: traffic.Hang})
	TargetResets = behaving("F9 target resets", traffic.Behaviour{Kind: traffic.Reset})
	TargetGone   = behaving("F9 target answers 410", traffic.Behaviour{Kind: traffic.Gone})

	TargetStops = &Kind{Name: "F9 target is dead", Lane: Targets, Excuses: duplicates, Allows: probed, Inject: targetStops}
)

// behaving is a fault of one target. The late ones excuse duplicates: the target
// may have done its work and the receiver not have heard of it.
func behaving(name string, behaviour traffic.Behaviour) *Kind {
	kind := &Kind{Name: name, Lane: Targets, Allows: probed}
	switch behaviour.Kind {
	case traffic.Slow, traffic.Huge:
		kind.Excuses = duplicates
	}
	kind.Inject = func(ctx context.Context, i *Injection) error {
		t, length := i.target(), i.between(300*time.Millisecond, 3*time.Second)
		i.At(t.Name())
		i.Begin(t.Name(), "for %s", length.Round(time.Millisecond))
		t.Behave(
			traffic.Share{Behaviour: behaviour, Weight: 9},
			traffic.Share{Behaviour: traffic.Behaviour{Kind: traffic.OK}, Weight: 1})
		rest(ctx, length)
		i.mend(t)
		return nil
	}
	return kind
}

func targetStops(ctx context.Context, i *Injection) error {
	t, length := i.target(), i.between(300*time.Millisecond, 3*time.Second)
	i.At(t.Name())
	i.Begin(t.Name(), "for %s", length.Round(time.Millisecond))
	t.Stop()
	rest(ctx, length)
	return t.Start()
}
