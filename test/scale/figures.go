package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/postern-dev/postern/test/local"
)

// What is promised.
const (
	maxEffect   = 2 * time.Second
	maxReceiver = 300 << 20
	// maxManager is the memory limit of the manager's container by default.
	maxManager = 384 << 20
)

// report is what was found, printed as it comes.
type report struct {
	idle    counts
	changes counts
	effect  samples
	// manager and receiver are the most memory that the processes have had.
	manager, receiver int64
}

func (r *report) line(what, format string, args ...any) {
	fmt.Printf("| %-52s | %s |\n", what, fmt.Sprintf(format, args...))
}

// judge compares with what is promised.
func (r *report) judge() error {
	var errs []error
	if got := r.effect.quantile(0.99); got >= maxEffect {
		errs = append(errs, fmt.Errorf("a change takes %v at the 99th percentile, want less than %v", got, maxEffect))
	}
	if r.receiver >= maxReceiver {
		errs = append(errs, fmt.Errorf("the receiver holds %s, want less than %s",
			mebibytes(r.receiver), mebibytes(maxReceiver)))
	}
	if r.manager >= maxManager {
		errs = append(errs, fmt.Errorf("the manager holds %s, want less than %s",
			mebibytes(r.manager), mebibytes(maxManager)))
	}
	for request, n := range r.changes {
		if strings.HasPrefix(request, "LIST ") && n >= 0.5 {
			errs = append(errs, fmt.Errorf("%.1f of %s a change: a change must list nothing anew", n, request))
		}
	}
	return errors.Join(errs...)
}

// weigh tells what the processes hold.
func (w *world) weigh(when string) error {
	for _, p := range []*local.Process{w.Manager, w.Receiver} {
		now, peak, err := resident(p.PID())
		if err != nil {
			return err
		}
		used, err := processor(p.PID())
		if err != nil {
			return err
		}
		most := &w.report.manager
		if p == w.Receiver {
			most = &w.report.receiver
		}
		*most = max(*most, peak)
		w.report.line("memory of the "+p.Name+" "+when, "%s, at most %s; %v of processor time until then",
			mebibytes(now), mebibytes(peak), used)
	}
	return nil
}

// resident reads what a process holds and the most that it held.
func resident(pid int) (now, peak int64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseInt(fields[1], 10, 64) // other lines are no numbers
		switch fields[0] {
		case "VmRSS:":
			now = kib << 10
		case "VmHWM:":
			peak = kib << 10
		}
	}
	return now, peak, nil
}

// processor reads how long a process has computed.
func processor(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 everywhere
	var used time.Duration
	for _, field := range fields[11:13] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		used += time.Duration(ticks) * tick
	}
	return used, nil
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }

// counts are numbers of requests, by verb and resource.
type counts map[string]float64

// requests are those that the API server has answered.
func (w *world) requests(ctx context.Context) (counts, error) {
	clientset, err := kubernetes.NewForConfig(w.config)
	if err != nil {
		return nil, err
	}
	text, err := clientset.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("metrics of the API server: %w", err)
	}
	found := counts{}
	for line := range strings.Lines(string(text)) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), "} ")
		if !ok || !strings.HasPrefix(series, "apiserver_request_total{") {
			continue
		}
		labels := map[string]string{}
		for _, pair := range label.FindAllStringSubmatch(series, -1) {
			labels[pair[1]] = pair[2]
		}
		if labels["verb"] == "CONNECT" || labels["resource"] == "" {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("metrics of the API server: %q: %w", line, err)
		}
		name := labels["verb"] + " " + labels["resource"]
		if labels["subresource"] != "" {
			name += "/" + labels["subresource"]
		}
		found[name] += n
	}
	return found, nil
}

var label = regexp.MustCompile(`(\w+)="([^"]*)"`)

func (c counts) minus(other counts) counts {
	rest := counts{}
	for name, n := range c {
		if n > other[name] {
			rest[name] = n - other[name]
		}
	}
	return rest
}

// less takes off what comes anyway in that time.
func (c counts) less(rate counts, during time.Duration) counts {
	anyway := counts{}
	for name, n := range rate {
		anyway[name] = n * during.Seconds()
	}
	return c.minus(anyway)
}

func perSecond(c counts, during time.Duration) counts {
	rate := counts{}
	for name, n := range c {
		rate[name] = n / during.Seconds()
	}
	return rate
}

func (c counts) divided(by int) counts {
	each := counts{}
	for name, n := range c {
		each[name] = n / float64(by)
	}
	return each
}

func (c counts) sum() float64 {
	total := 0.0
	for _, n := range c {
		total += n
	}
	return total
}

// String lists the most frequent first and leaves out what hardly happens.
func (c counts) String() string {
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		return cmp.Or(cmp.Compare(c[b], c[a]), cmp.Compare(a, b))
	}) {
		if c[name] >= 0.05 {
			parts = append(parts, fmt.Sprintf("%.1f %s", c[name], name))
		}
	}
	return strings.Join(parts, ", ")
}

// samples are measured times.
type samples []time.Duration

func (s samples) quantile(q float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// String tells the median, the 99th percentile and the longest.
func (s samples) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, at most %v",
		rounded(s.quantile(0.5)), rounded(s.quantile(0.99)), rounded(s.quantile(1)))
}

func rounded(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
