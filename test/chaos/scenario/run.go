package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/fault"
	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/report"
	"github.com/postern-dev/postern/test/chaos/shim"
	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

const (
	// sampleEvery is how often processes are looked at.
	sampleEvery = 500 * time.Millisecond
	// eventDeadline is how long a sender tries.
	eventDeadline = 90 * time.Second
	// drainSlack is how much longer than it may last a backlog is waited for.
	drainSlack = 5 * time.Second
)

// Setup is what all scenarios of a command share.
type Setup struct {
	Cluster *world.Cluster
	// Postern and Previous are the two builds; Previous is the older one.
	Postern, Previous string
	// Shim is nil where it could not be built, and NoShim says why.
	Shim   *shim.Library
	NoShim error
	// Folder gets a folder for each scenario.
	Folder string
	// Command repeats the run.
	Command string
	// Mutant names the known-bad build that Postern is; empty for the product.
	Mutant string
	// Rate is new events in a second in place of the scenario's; 0 leaves that.
	Rate float64
	// Log prints a line of progress.
	Log func(format string, args ...any)
}

// Outcome is how a scenario ended.
type Outcome struct {
	Scenario *Scenario
	Folder   string
	Result   *check.Result
	// Problems are demands that were not met beside those of the checker.
	Problems []error
	// Skipped says why some faults could not be injected here, by kind.
	Skipped map[string]string
}

// OK tells whether everything holds.
func (o *Outcome) OK() bool { return len(o.Problems) == 0 && o.Result != nil && o.Result.OK() }

// run is one scenario that runs.
type run struct {
	*Setup
	*Scenario
	seed    uint64
	folder  string
	history *history.Writer
	targets *history.Writer
	env     *fault.Env
	mounted bool
}

// Run runs a scenario for a time. An error means that there is nothing to judge.
func (s *Setup) Run(ctx context.Context, what *Scenario, seed uint64, length time.Duration) (*Outcome, error) {
	r := &run{Setup: s, Scenario: what, seed: seed, folder: filepath.Join(s.Folder, fmt.Sprintf("%s-%d", what.Name, seed))}
	outcome := &Outcome{Scenario: what, Folder: r.folder}
	if err := r.open(); err != nil {
		return nil, err
	}
	err := r.start(ctx)
	if err == nil {
		err = r.play(ctx, length, outcome)
	}
	r.end(outcome)
	if err == nil {
		outcome.Result, err = report.Write(r.folder)
	}
	if err != nil {
		return nil, fmt.Errorf("scenario %s: %w; see %s", what.Name, err, r.folder)
	}
	return outcome, nil
}

func (r *run) open() error {
	if err := os.RemoveAll(r.folder); err != nil {
		return err
	}
	if err := os.MkdirAll(r.folder, 0o700); err != nil {
		return err
	}
	var err error
	if r.history, err = history.Create(r.folder, "harness"); err != nil {
		return err
	}
	if r.targets, err = history.Create(r.folder, "targets"); err != nil {
		return errors.Join(err, r.history.Close())
	}
	r.history.Write(history.Record{Run: &history.Run{
		Scenario: r.Name, Seed: r.seed, Mutant: r.Mutant, Command: r.Command,
		DrainSeconds: r.drain().Seconds(), RecoverySeconds: r.Recovery.Seconds(), Unjudged: words(r.Unjudged),
		Never:  r.Never,
		Limits: r.limits(),
	}})
	return nil
}

func words(invariants []check.Invariant) []string {
	var all []string
	for _, invariant := range invariants {
		all = append(all, string(invariant))
	}
	return all
}

func (r *run) limits() map[string]map[string]float64 {
	all := maps.Clone(bounds)
	maps.Copy(all, r.Limits)
	return all
}

// start makes targets, processes, endpoints and senders.
func (r *run) start(ctx context.Context) error {
	r.env = &fault.Env{
		History: r.history, Endpoints: r.endpoints(), Current: r.Postern, Previous: r.Previous, Usual: r.usual(),
	}
	forward := map[string]string{}
	for _, e := range r.env.Endpoints {
		for _, target := range e.Targets {
			t, err := traffic.NewTarget(traffic.TargetOptions{
				Name: e.Name + "/" + target.Name, Address: "127.0.0.1:0", History: r.targets, Seed: r.seed,
			})
			if err != nil {
				return err
			}
			t.Behave(r.usual()...)
			r.env.Targets = append(r.env.Targets, t)
			forward[e.Namespace()+"/"+e.Service(target.Name)] = t.URL()
		}
	}
	if err := r.mount(); err != nil {
		return err
	}
	var err error
	r.env.World, err = world.Start(ctx, r.Cluster, world.Options{
		Topology: r.Topology, Receivers: r.Receivers, Postern: r.Postern, Folder: r.folder, History: r.history,
		StoreArgs: r.StoreArgs, ReceiverArgs: r.ReceiverArgs, Shim: r.Shim, Ahead: r.Ahead,
		DataDir: r.env.Volume, Forward: forward,
	})
	if err != nil {
		return err
	}
	for _, e := range r.env.Endpoints {
		if err := r.env.World.Put(ctx, e); err != nil {
			return err
		}
	}
	return r.senders()
}

func (r *run) senders() error {
	options := r.Traffic
	options.Name, options.Folder, options.Seed = r.Scenario.Name, r.folder, r.seed
	options.Rate = cmp.Or(r.Setup.Rate, r.Scenario.Rate)
	options.Deadline = eventDeadline
	for _, e := range r.env.Endpoints {
		endpoint := traffic.Endpoint{
			Name: e.Name, Provider: e.Provider, Key: r.key(e), Types: typesOf(e.Provider), Weight: 1,
		}
		receivers := r.env.World.Receivers
		for _, receiver := range receivers[:min(cmp.Or(r.Doors, len(receivers)), len(receivers))] {
			endpoint.URLs = append(endpoint.URLs, receiver.Public+"/"+e.Name)
		}
		options.Endpoints = append(options.Endpoints, endpoint)
	}
	var err error
	r.env.Senders, err = traffic.NewSenders(options)
	return err
}

// play sends and breaks for a time, then heals and drains.
func (r *run) play(ctx context.Context, length time.Duration, outcome *Outcome) error {
	steps := r.plan(length, outcome)
	sending, stopSending := context.WithCancel(ctx)
	defer stopSending()
	observing, stopObserving := context.WithCancel(ctx)
	defer stopObserving()
	sent, observed := make(chan error, 1), make(chan struct{})
	go func() { sent <- r.env.Senders.Run(sending) }()
	go func() { defer close(observed); r.env.World.Observe(observing, sampleEvery) }()

	begun := time.Now()
	r.env.Execute(ctx, length, steps)
	wait(ctx, length-time.Since(begun))
	stopSending()
	err := <-sent
	stopObserving()
	<-observed
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if totals := r.env.Senders.Totals(); totals.GivenUp > 0 || totals.Acked == 0 {
		outcome.Problems = append(outcome.Problems, fmt.Errorf("%d events were acknowledged, and %d were not within %s",
			totals.Acked, totals.GivenUp, eventDeadline))
	}
	if len(steps) > 0 && r.env.Injected() == 0 {
		outcome.Problems = append(outcome.Problems, fmt.Errorf("none of %d faults happened", len(steps)))
	}
	if err == nil {
		if failed := r.settle(ctx); failed != nil {
			outcome.Problems = append(outcome.Problems, failed)
		}
	}
	return err
}

// plan says which faults happen when.
func (r *run) plan(length time.Duration, outcome *Outcome) []fault.Step {
	count := 0
	if r.Every > 0 {
		count = int(length / r.Every)
	}
	all := r.Faults
	for _, kind := range r.Script {
		all = append(all, fault.Choice{Kind: kind})
	}
	choices, skipped := r.env.Able(all)
	outcome.Skipped = skipped
	if len(r.Script) == 0 {
		return fault.Plan(r.seed, length, count, choices)
	}
	var kinds []*fault.Kind
	for _, choice := range choices {
		kinds = append(kinds, choice.Kind)
	}
	return fault.Script(r.seed, length, count, kinds)
}

// settle waits for the end of the backlog and lists the dead letters.
func (r *run) settle(ctx context.Context) error {
	if err := r.drainBacklog(ctx); err != nil {
		return err
	}
	return r.env.World.WriteDead(ctx, r.env.Endpoints)
}

// drainBacklog waits until nothing is pending, or for too long.
func (r *run) drainBacklog(ctx context.Context) error {
	if err := r.env.World.AwaitReady(ctx); err != nil {
		return err
	}
	end := time.Now().Add(r.drain() + drainSlack)
	for {
		pending, err := r.env.World.SampleBacklog(ctx, r.env.Endpoints)
		if err != nil {
			return err
		}
		if pending == 0 || time.Now().After(end) {
			return nil
		}
		wait(ctx, sampleEvery)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// end stops everything and gathers what the checker cannot see.
func (r *run) end(outcome *Outcome) {
	if r.env != nil {
		outcome.Problems = append(outcome.Problems, r.env.Failures()...)
		if r.env.World != nil {
			for _, crash := range r.env.World.Crashes() {
				outcome.Problems = append(outcome.Problems, errors.New(crash))
			}
			for _, e := range r.env.Endpoints {
				r.env.World.Forget(e)
			}
			r.env.World.Stop()
		}
		for _, t := range r.env.Targets {
			t.Stop()
		}
	}
	if err := r.unmount(); err != nil {
		outcome.Problems = append(outcome.Problems, err)
	}
	if err := errors.Join(r.history.Close(), r.targets.Close()); err != nil {
		outcome.Problems = append(outcome.Problems, fmt.Errorf("write the history: %w", err))
	}
}

// key is what senders sign with; the Secret has the text that stands for it.
func (r *run) key(e *world.Endpoint) []byte { return e.Keys[0] }

func wait(ctx context.Context, length time.Duration) {
	if length <= 0 {
		return
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Names are those of all scenarios.
func Names() []string {
	var names []string
	for _, s := range All() {
		names = append(names, s.Name)
	}
	return names
}

// Find returns scenarios by names with commas; without names all but those that want to be
// asked for.
func Find(names string) ([]*Scenario, error) {
	all := All()
	if names == "" {
		return slices.DeleteFunc(all, func(s *Scenario) bool { return s.Named }), nil
	}
	var found []*Scenario
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(s *Scenario) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no scenario is called %q; there are %v", name, Names())
		}
		found = append(found, all[i])
	}
	return found, nil
}
