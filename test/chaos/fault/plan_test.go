package fault_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/test/chaos/fault"
	"github.com/postern-dev/postern/test/chaos/history"
)

func kindsOf(steps []fault.Step) []string {
	var names []string
	for _, step := range steps {
		names = append(names, step.Kind.Name)
	}
	return names
}

func TestAPlanFollowsFromItsSeed(t *testing.T) {
	t.Parallel()
	choices := []fault.Choice{{Kind: fault.KillReceiver, Weight: 3}, {Kind: fault.KillStore, Weight: 1}, {Kind: fault.PowerLoss, Weight: 1}}
	plan := func(seed uint64) []fault.Step { return fault.Plan(seed, time.Minute, 100, choices) }
	one, again, other := plan(1), plan(1), plan(2)
	if diff := cmp.Diff(kindsOf(one), kindsOf(again)); diff != "" {
		t.Errorf("the same seed gives another plan:\n%s", diff)
	}
	if slices.Equal(kindsOf(one), kindsOf(other)) {
		t.Error("another seed gives the same plan")
	}
	first := kindsOf(one[:3])
	slices.Sort(first)
	if len(slices.Compact(first)) != 3 {
		t.Errorf("the plan begins with %v, not with one of each kind", kindsOf(one[:3]))
	}
	for i, step := range one {
		if step.At >= time.Minute || i > 0 && step.At < one[i-1].At {
			t.Fatalf("step %d is at %v, after one at %v", i, step.At, one[i-1].At)
		}
	}
}

func TestAScriptHasEveryKindInTurns(t *testing.T) {
	t.Parallel()
	kinds := []*fault.Kind{fault.KillStore, fault.KillReceiver, fault.PowerLoss}
	for _, test := range []struct {
		count int
		want  []*fault.Kind
	}{
		{1, kinds},
		{3, kinds},
		{5, []*fault.Kind{fault.KillStore, fault.KillReceiver, fault.PowerLoss, fault.KillStore, fault.KillReceiver}},
	} {
		steps := fault.Script(1, time.Minute, test.count, kinds)
		var got []*fault.Kind
		for i, step := range steps {
			got = append(got, step.Kind)
			if must := i < len(kinds); step.Must != must || step.At >= time.Minute {
				t.Errorf("of %d, step %d is %+v", test.count, i, step)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%d faults of three kinds are %v", test.count, kindsOf(steps))
		}
	}
	if steps := fault.Script(1, time.Minute, 5, nil); len(steps) != 0 {
		t.Errorf("without kinds there are %d steps", len(steps))
	}
}

// inBubble runs a test of injections, in a time that moves by itself.
func inBubble(t *testing.T, test func(*testing.T, *fault.Env)) {
	t.Helper()
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		writer, err := history.Create(folder, "harness")
		if err != nil {
			t.Fatal(err)
		}
		defer writer.Close()
		test(t, &fault.Env{History: writer})
	})
}

func TestWhatMustHappenHappensAfterTheTimeIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T, env *fault.Env) {
		long := func(name string) *fault.Kind {
			return &fault.Kind{Name: name, Lane: fault.Processes, Inject: func(_ context.Context, i *fault.Injection) error {
				i.Begin("nobody", "")
				<-time.After(20 * time.Second)
				return nil
			}}
		}
		env.Execute(t.Context(), 10*time.Second, fault.Script(1, 10*time.Second, 4, []*fault.Kind{long("one"), long("other")}))
		if got := env.Injected(); got != 2 {
			t.Errorf("%d faults happened, want each of two once", got)
		}
	})
}

func TestNothingBeginsInALull(t *testing.T) {
	inBubble(t, func(t *testing.T, env *fault.Env) {
		begun, latest := time.Now(), time.Duration(0)
		short := &fault.Kind{Name: "short", Lane: fault.Processes, Inject: func(_ context.Context, i *fault.Injection) error {
			i.Begin("nobody", "")
			at := time.Since(begun)
			if at > 26*time.Second && at < 30*time.Second {
				t.Errorf("a fault begins after %v", at)
			}
			latest = max(latest, at)
			return nil
		}}
		env.Execute(t.Context(), time.Minute, fault.Plan(1, time.Minute, 300, []fault.Choice{{Kind: short, Weight: 1}}))
		if env.Injected() < 250 || latest < 50*time.Second {
			t.Errorf("%d faults happened, the last after %v", env.Injected(), latest)
		}
	})
}

func TestEveryKindHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, kind := range fault.Kinds() {
		if seen[kind.Name] || kind.Name == "" || kind.Lane == "" || kind.Inject == nil {
			t.Errorf("%q is not a kind of its own with a lane and an injector", kind.Name)
		}
		seen[kind.Name] = true
		if found, ok := fault.Named(kind.Name); !ok || found != kind {
			t.Errorf("%q is not found by its name", kind.Name)
		}
	}
}

func TestFaultsOfOneLaneFollowEachOther(t *testing.T) {
	inBubble(t, func(t *testing.T, env *fault.Env) {
		running, most := 0, 0
		slow := &fault.Kind{Name: "slow", Lane: fault.Processes, Inject: func(_ context.Context, i *fault.Injection) error {
			i.Begin("nobody", "")
			running++
			most = max(most, running)
			<-time.After(2 * time.Second)
			running--
			return nil
		}}
		steps := fault.Plan(1, 10*time.Second, 10, []fault.Choice{{Kind: slow, Weight: 1}})
		env.Execute(t.Context(), 10*time.Second, steps)
		if most != 1 {
			t.Errorf("%d faults of one lane happened at the same time", most)
		}
		if got := env.Injected(); got < 4 || got > 6 {
			t.Errorf("%d faults of two seconds were injected in ten, want about five", got)
		}
	})
}
