package history_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/postern-dev/postern/test/chaos/history"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func create(t *testing.T, folder, actor string) *history.Writer {
	t.Helper()
	w, err := history.Create(folder, actor)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func read(t *testing.T, folder string) []history.Record {
	t.Helper()
	var records []history.Record
	for record, err := range history.Read(folder) {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
	return records
}

func TestEveryKindOfRecordComesBack(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	written := []history.Record{
		{Run: &history.Run{Scenario: "kill", Seed: 1 << 63, Limits: map[string]map[string]float64{"redis": {"fds": 9}}}},
		{Process: &history.Process{Name: "receiver", PID: 7, Started: true}},
		{Endpoint: &history.Endpoint{Name: "a/b", Version: 2, Targets: []history.Target{{Name: "c", Types: []string{"x.*"}}}}},
		{Send: &history.Send{ID: "1", Endpoint: "a/b", Attempt: 3, Body: "sha", Forged: "wrong key"}},
		{Response: &history.Response{ID: "1", Attempt: 3, Error: "reset"}},
		{Receive: &history.Receive{Target: "a/b/c", ID: "1", Attempt: 2, Verified: true, Code: 429, RetryAfter: 5}},
		{Fault: &history.Fault{N: 1, Kind: "kill", Phase: history.Point, Excuses: []history.Excuse{history.ExcuseDuplicates}}},
		{Admin: &history.Admin{Action: history.ActionReplay, ID: "1"}},
		{Dead: &history.Dead{Target: "a/b/c", ID: "1", Reason: "gone"}},
		{Sample: &history.Sample{Process: "redis", Values: map[string]float64{history.ValueRSS: 1.5}}},
		{Scrape: &history.Scrape{Process: "receiver", PID: 7, Endpoints: map[string]history.Counts{"a/b": {Accepted: 1}}}},
	}
	w := create(t, folder, "everything")
	for i := range written {
		written[i].At = w.Write(written[i])
		written[i].Actor = "everything"
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(written, read(t, folder)); diff != "" {
		t.Errorf("what was read differs from what was written (-written +read):\n%s", diff)
	}
}

func TestFilesAreMergedByTime(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	const actors, lines = 5, 200
	var group sync.WaitGroup
	writers := []*history.Writer{create(t, folder, "shared")}
	for n := range actors {
		writers = append(writers, create(t, folder, fmt.Sprintf("own-%d", n)))
	}
	for n := range actors {
		group.Go(func() {
			for i := range lines {
				writers[i%2*(n+1)].Write(history.Record{Send: &history.Send{ID: fmt.Sprintf("%d-%d", n, i)}})
			}
		})
	}
	group.Wait()
	create(t, folder, "empty").Close()
	for _, w := range writers {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	records := read(t, folder)
	if len(records) != actors*lines {
		t.Fatalf("%d records were read, want %d", len(records), actors*lines)
	}
	for i := range records[1:] {
		if records[i].At > records[i+1].At {
			t.Fatalf("record %d comes before an earlier one", i)
		}
	}
}

func TestALineCutShortIsLeftOut(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	whole := `{"t":5,"send":{"id":"1","ep":"a/b","n":1,"sha":""}}` + "\n"
	if err := os.WriteFile(filepath.Join(folder, "x.jsonl"), []byte(whole+whole[:20]), 0o600); err != nil {
		t.Fatal(err)
	}
	records := read(t, folder)
	if len(records) != 1 || records[0].At != 5 || records[0].Send.ID != "1" {
		t.Errorf("got %+v, want the whole line only", records)
	}
}

func TestDamageIsNamed(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"no history": "", "x.jsonl:2": `{"t":1}` + "\nnot JSON\n"} {
		folder := t.TempDir()
		if content != "" {
			if err := os.WriteFile(filepath.Join(folder, "x.jsonl"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var failed error
		for _, err := range history.Read(folder) {
			failed = err
		}
		if failed == nil || !strings.Contains(failed.Error(), name) {
			t.Errorf("the error is %v, want one that names %s", failed, name)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	w, err := history.Create(b.TempDir(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	record := history.Record{Receive: &history.Receive{
		Target: "team/github/one", Endpoint: "team/github", ID: "gh-1-123456", EventID: "01890a5d-ac96-774b-bcce-b302099a8057",
		Attempt: 1, Body: history.Digest([]byte("x")), Verified: true, Code: 200, TookNanos: 12345,
	}}
	for b.Loop() {
		w.Write(record)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
}
