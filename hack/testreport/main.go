// Command testreport turns the stream of `go test -json` into a line a package,
// the output of what failed, the skipped tests with their reasons, and totals.
// Its exit code is 1 when anything failed, also when a package did not build.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is one line of the stream.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
	Elapsed float64
}

func main() {
	report := newReport(os.Stdout)
	if err := report.read(os.Stdin); err != nil {
		fmt.Fprintf(os.Stderr, "testreport: %v\n", err)
		os.Exit(1)
	}
	if !report.finish() {
		os.Exit(1)
	}
}

type report struct {
	out                     io.Writer
	output                  map[string][]string
	skips                   []string
	passed, skipped, failed int
	packages, broken        int
	seconds                 float64
}

func newReport(out io.Writer) *report {
	return &report{out: out, output: map[string][]string{}}
}

func (r *report) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Action == "" {
			fmt.Fprintln(r.out, lines.Text()) // what the go command says itself
			continue
		}
		r.add(e)
	}
	return lines.Err()
}

func (r *report) add(e event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		r.output[key] = append(r.output[key], e.Output)
		return
	case "build-output":
		fmt.Fprint(r.out, e.Output)
		return
	case "build-fail":
		r.broken++
		return
	case "pass", "skip", "fail":
	default:
		return
	}
	if e.Test == "" {
		r.addPackage(e)
	} else {
		r.addTest(e, key)
	}
	delete(r.output, key)
}

func (r *report) addPackage(e event) {
	r.seconds += e.Elapsed
	if e.Action == "skip" {
		return // no test files
	}
	r.packages++
	verdict := "ok  "
	if e.Action == "fail" {
		verdict = "FAIL"
		r.broken++
		fmt.Fprint(r.out, strings.Join(r.output[e.Package+" "], ""))
	}
	fmt.Fprintf(r.out, "%s %-60s %6.1f s\n", verdict, e.Package, e.Elapsed)
}

func (r *report) addTest(e event, key string) {
	switch e.Action {
	case "pass":
		r.passed++
	case "skip":
		r.skipped++
		r.skips = append(r.skips, fmt.Sprintf("%s %s: %s", e.Package, e.Test, reason(r.output[key])))
	case "fail":
		r.failed++
		fmt.Fprint(r.out, strings.Join(r.output[key], ""))
	}
}

// reason is what a skipped test said: its last line that is not the test runner's.
func reason(output []string) string {
	for i := len(output) - 1; i >= 0; i-- {
		line := strings.TrimSpace(output[i])
		if line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			return line
		}
	}
	return "no reason given"
}

// finish prints the totals and tells whether everything passed.
func (r *report) finish() bool {
	for _, skip := range r.skips {
		fmt.Fprintf(r.out, "skipped %s\n", skip)
	}
	fmt.Fprintf(r.out, "\n%d tests in %d packages: %d passed, %d skipped, %d failed (%.0f s of test time)\n",
		r.passed+r.skipped+r.failed, r.packages, r.passed, r.skipped, r.failed, r.seconds)
	if r.packages == 0 {
		fmt.Fprintln(r.out, "nothing was tested")
	}
	return r.failed == 0 && r.broken == 0 && r.packages > 0
}
