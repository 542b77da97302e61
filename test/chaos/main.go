// Command chaos tries to make Postern lose, double or invent an event: real
// processes, real kills, everything written down, and a checker that judges it.
//
//	go run ./test/chaos -seed 7 -duration 5m
//
// The seed decides which faults happen when and what is sent; times still depend
// on the machine. It exits with 1 when anything is wrong, and prints the
// command that repeats the run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/postern-dev/postern/test/chaos/scenario"
	"github.com/postern-dev/postern/test/chaos/shim"
	"github.com/postern-dev/postern/test/chaos/world"
)

type options struct {
	seed      uint64
	duration  time.Duration
	scenarios string
	events    int
	faults    int
	out       string
	postern   string
	previous  string
	install   string
	assets    string
	mutants   string
	sources   string
	innocent  bool
	rounds    int
	rate      float64
	recorded  string
	trimmed   string
	event     string
	invariant string
	into      string
}

func main() {
	var o options
	o.declare()
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := o.run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
		os.Exit(1)
	}
}

func (o *options) declare() {
	flag.Uint64Var(&o.seed, "seed", 1, "decides what is sent and which faults happen when")
	flag.DurationVar(&o.duration, "duration", time.Minute, "time with faults and traffic, over all scenarios")
	flag.StringVar(&o.scenarios, "scenario", "", "only these, with commas: "+strings.Join(scenario.Names(), ", "))
	flag.IntVar(&o.rounds, "rounds", 1, "run every scenario so often, each time with the next seed")
	flag.StringVar(&o.mutants, "mutants", "", `run known-bad builds instead: "all", or names with commas`)
	flag.BoolVar(&o.innocent, "innocent", false, "run the product in the mutants' scenarios: it must pass")
	flag.StringVar(&o.sources, "sources", ".", "folder of the module, of which mutants are made")
	flag.IntVar(&o.events, "events", 0, "go on until so many events are acknowledged")
	flag.IntVar(&o.faults, "faults", 0, "go on until so many faults are injected")
	flag.StringVar(&o.out, "out", "dist/chaos", "folder for histories, logs and reports")
	flag.StringVar(&o.postern, "postern", "bin/postern", "the program under test")
	flag.StringVar(&o.previous, "previous", "", "another build of it, for upgrades; none skips those")
	flag.StringVar(&o.install, "install", "dist/install.yaml", "rendered manifests of the installation")
	flag.StringVar(&o.assets, "assets", os.Getenv("KUBEBUILDER_ASSETS"), "folder of kube-apiserver and etcd")
	flag.Float64Var(&o.rate, "rate", 0, "new events in a second; 0 means what the scenario has")
	flag.StringVar(&o.recorded, "judge", "", "judge the history in this folder again, and run nothing")
	flag.StringVar(&o.trimmed, "trim", "", "cut the history in this folder down to a case, and run nothing")
	flag.StringVar(&o.event, "event", "", "with -trim: keep these events, with commas, not those of the first violations")
	flag.StringVar(&o.invariant, "invariant", "", "with -trim: keep the violations of this invariant only")
	flag.StringVar(&o.into, "into", "", "with -trim: the folder of the case")
}

func (o *options) run(ctx context.Context) error {
	switch {
	case o.recorded != "":
		return o.judgeRecorded()
	case o.trimmed != "":
		return o.trimRecorded()
	}
	scenarios, err := scenario.Find(o.scenarios)
	if err != nil {
		return err
	}
	mutants, err := chosen(o.mutants)
	if err != nil {
		return err
	}
	setup, done, err := o.setup(ctx)
	if err != nil {
		return err
	}
	defer done()
	if o.mutants != "" {
		return o.hunt(ctx, setup, mutants)
	}
	return o.play(ctx, setup, scenarios)
}

// mostExtra bounds the additional rounds of one scenario that events and faults
// still missing are made with.
const mostExtra = 100

// play runs the scenarios, and the one that has most of the time again until
// there are as many events and faults as wanted.
func (o *options) play(ctx context.Context, setup *scenario.Setup, scenarios []*scenario.Scenario) error {
	t := &tally{}
	seed, longest := o.seed, 0
	parts := lengths(scenarios, o.duration/time.Duration(max(o.rounds, 1)))
	for range max(o.rounds, 1) {
		for n, length := range parts {
			if err := t.play(ctx, setup, scenarios[n], seed, length); err != nil {
				return err
			}
			seed++
			if length > parts[longest] {
				longest = n
			}
		}
	}
	for extra := 0; extra < mostExtra && (t.acked < o.events || t.injected < o.faults); extra++ {
		if err := t.play(ctx, setup, scenarios[longest], seed, parts[longest]); err != nil {
			return err
		}
		seed++
	}
	return t.conclude(setup)
}

// setup starts what all scenarios share.
func (o *options) setup(ctx context.Context) (*scenario.Setup, func(), error) {
	out, err := filepath.Abs(o.out)
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(out, 0o700); err != nil {
		return nil, nil, err
	}
	begun := time.Now()
	cluster, err := world.StartCluster(ctx, world.ClusterOptions{
		Assets: o.assets, Install: o.install, Postern: o.postern, Folder: out,
	})
	if err != nil {
		return nil, nil, err
	}
	fmt.Printf("control plane and manager are up after %s\n", time.Since(begun).Round(time.Millisecond))
	setup := &scenario.Setup{
		Cluster: cluster, Postern: o.postern, Previous: o.previous, Folder: out, Command: o.command(), Rate: o.rate,
		Log: func(format string, args ...any) { fmt.Printf(format+"\n", args...) },
	}
	setup.Shim, setup.NoShim = shim.Build(out)
	return setup, cluster.Stop, nil
}

// command repeats this run.
func (o *options) command() string {
	if o.mutants != "" {
		return fmt.Sprintf("make chaos-mutants SEED=%d MUTANTS=%s ROUNDS=%d", o.seed, o.mutants, max(o.rounds, 1))
	}
	command := fmt.Sprintf("make chaos SEED=%d DURATION=%s", o.seed, o.duration)
	if o.scenarios != "" {
		command += " SCENARIO=" + o.scenarios
	}
	if o.rounds > 1 {
		command += fmt.Sprintf(" ROUNDS=%d", o.rounds)
	}
	return command
}

// lengths divides a time by the scenarios' shares.
func lengths(scenarios []*scenario.Scenario, all time.Duration) []time.Duration {
	var total float64
	for _, s := range scenarios {
		total += s.Share
	}
	parts := make([]time.Duration, len(scenarios))
	for i, s := range scenarios {
		parts[i] = max(s.Least, time.Duration(float64(all)*s.Share/total))
	}
	return parts
}

var errBroken = errors.New("a promise is broken")
