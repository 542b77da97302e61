package main

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"
)

// report collects what is printed at the end.
type report struct {
	title              string
	rates, cpus, facts [][]string
}

func newReport(o options) *report {
	return &report{title: fmt.Sprintf("%d processors, load included; %d connections, %d bytes, fsync always",
		runtime.NumCPU(), o.connections, o.bodyBytes)}
}

func (r *report) rate(name string, seen, plain figures) {
	r.rates = append(r.rates, []string{
		name, fmt.Sprintf("%.0f", seen.rate()), fmt.Sprintf("%.2f", seen.rate()/plain.rate()),
		milliseconds(seen.p50), milliseconds(seen.p99), fmt.Sprintf("%.1f", seen.p99.Seconds()/plain.p99.Seconds()),
	})
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()*1e3) }

// cpu reports processor time for 10,000 events.
func (r *report) cpu(name string, events int64, receiver, store time.Duration) {
	each := func(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()*1e4/float64(events)) }
	r.cpus = append(r.cpus, []string{name, each(receiver), each(store), each(receiver + store)})
}

func (r *report) fact(name, format string, args ...any) {
	r.facts = append(r.facts, []string{name, fmt.Sprintf(format, args...)})
}

func (r *report) print(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, r.title)
	fmt.Fprintln(table)
	write(table, []string{"", "events/s", "ratio", "p50 ms", "p99 ms", "p99 ratio"}, r.rates)
	write(table, []string{"CPU seconds for 10,000 events", "receiver", "store", "both"}, r.cpus)
	write(table, []string{"cost", ""}, r.facts)
	return table.Flush()
}

func write(table *tabwriter.Writer, head []string, rows [][]string) {
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			if i > 0 {
				fmt.Fprint(table, "\t")
			}
			fmt.Fprint(table, cell)
		}
		fmt.Fprintln(table)
	}
	fmt.Fprintln(table)
	_ = table.Flush() // columns of the next part are its own
}
