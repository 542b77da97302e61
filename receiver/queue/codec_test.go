package queue

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/postern-dev/postern/receiver/event"
)

func sampleEvent() *event.Event {
	return &event.Event{
		ID: "0123456789abcdef0123456789abcdef", EndpointUID: "uid", Namespace: "ci", Endpoint: "github",
		Source: "github", Type: "push", DeliveryID: "72d3162e", ReceivedAt: time.Unix(0, 1773500966123456789).UTC(),
		Verified: true, Method: http.MethodPost, RawQuery: "a=1",
		Header: http.Header{"Content-Type": {"application/json"}, "X-Two": {"one", ""}},
		Body:   []byte("{}\n\x00"),
	}
}

func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*event.Event){
		"as it is":         func(*event.Event) {},
		"no header":        func(e *event.Event) { e.Header = http.Header{} },
		"before the epoch": func(e *event.Event) { e.ReceivedAt = time.Unix(-1, 5).UTC() },
		"not verified":     func(e *event.Event) { e.Verified = false },
		"NUL in a header":  func(e *event.Event) { e.Header["X"] = []string{"a\x00b", "\xff"} },
	} {
		want := sampleEvent()
		change(want)
		record := encodeRecord(want, []string{"builder", "auditor"})
		got, err := decodeRecord("uid", want.ID, []byte(record))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read back %+v and %v, want %+v", name, got, err, want)
		}
		if _, targets, _, _ := decodeStart(record); !reflect.DeepEqual(targets, []string{"builder", "auditor"}) {
			t.Errorf("%s: read back targets %q", name, targets)
		}
	}
}

// TestLargeRecordsAreMadeForTheirCall: until then an event waits without a copy
// of its body.
func TestLargeRecordsAreMadeForTheirCall(t *testing.T) {
	t.Parallel()
	for size, early := range map[int]bool{earlyBytes: true, earlyBytes + 1: false} {
		e := sampleEvent()
		e.Body = make([]byte, size)
		admission := &Admission{Event: e, Targets: []string{"builder"}, Dead: []string{"auditor"}}
		work := admission.work()
		if (work.record != "") != early {
			t.Errorf("the record of %d bytes is made early: %v, want %v", size, !early, early)
		}
		got, err := decodeRecord("uid", e.ID, []byte(work.encoded()))
		if err != nil || !reflect.DeepEqual(got.Body, e.Body) {
			t.Errorf("a record of %d bytes is read with %v", size, err)
		}
		if _, targets, _, _ := decodeStart(work.encoded()); !slices.Equal(targets, admission.all()) {
			t.Errorf("a record of %d bytes is for the targets %q", size, targets)
		}
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	t.Parallel()
	e := sampleEvent()
	record := []byte(encodeRecord(e, []string{"builder"}))
	for at := range record {
		for bit := range 8 {
			record[at] ^= 1 << bit
			_, err := decodeRecord("uid", e.ID, record)
			if at == 0 && !errors.Is(err, errNewer) || at > 0 && !errors.Is(err, errCorrupt) {
				t.Errorf("bit %d of byte %d: %v", bit, at, err)
			}
			record[at] ^= 1 << bit
		}
	}
}

// TestRecordReaderIgnoresMore lets a newer version append fields.
func TestRecordReaderIgnoresMore(t *testing.T) {
	t.Parallel()
	e := sampleEvent()
	header := [recordHeader]byte{schemaVersion}
	record := slices.Clone(header[:])
	record = append(appendMeta(record, e, []string{"builder"}), "a field of the future"...)
	binary.BigEndian.PutUint32(record[sumEnd:], uint32(len(record)-recordHeader))
	record = append(record, e.Body...)
	sum := sha256.Sum256(record[sumEnd:])
	copy(record[1:], sum[:])
	if got, err := decodeRecord("uid", e.ID, record); err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("read back %+v and %v", got, err)
	}
}

// TestRecordGolden pins the format: events of the last version are in stores.
func TestRecordGolden(t *testing.T) {
	t.Parallel()
	e := sampleEvent()
	e.Header = http.Header{"X-Two": {"one", ""}}
	got := encodeRecord(e, []string{"builder"})
	const fields = "\x00\x00\x00\x49\x01\xaa\xa4\xce\xe9\xee\xee\xde\x9c\x31" +
		"\x02ci\x06github\x06github\x04push\x0872d3162e\x00\x04POST\x03a=1" +
		"\x01\x07builder\x01\x05X-Two\x02\x03one\x00" +
		"{}\n\x00"
	if got[0] != 2 || got[sumEnd:] != fields {
		t.Errorf("the record has version %d and\n%q, want 2 and\n%q", got[0], got[sumEnd:], fields)
	}
}

func FuzzDecodeStart(f *testing.F) {
	f.Add(encodeRecord(sampleEvent(), []string{"builder"}))
	f.Add("")
	f.Fuzz(func(t *testing.T, record string) {
		decoded, targets, body, err := decodeStart(record)
		if err != nil {
			return
		}
		decoded.Body = []byte(body)
		again, targetsAgain, bodyAgain, err := decodeStart(encodeRecord(decoded, targets))
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again.Body = []byte(bodyAgain)
		if !reflect.DeepEqual(again, decoded) || !reflect.DeepEqual(targetsAgain, targets) {
			t.Errorf("read %+v, then %+v", decoded, again)
		}
	})
}

func TestParseInfo(t *testing.T) {
	t.Parallel()
	got := parseInfo("# Server\r\nrun_id:abc\r\nused_memory:250\r\nmaxmemory:1000\r\naof_last_write_status:err\r\n")
	if want := (serverInfo{runID: "abc", used: 250, limit: 1000, aofWriteError: true}); got != want {
		t.Errorf("parsed %+v, want %+v", got, want)
	}
	if got.usedRatio() != 0.25 || got.historyBytes() != 200 {
		t.Errorf("of %+v the ratio is %v and the share %d", got, got.usedRatio(), got.historyBytes())
	}
	got = parseInfo("used_memory:250\r\nmaxmemory:0\r\naof_last_write_status:ok\r\n")
	if got.usedRatio() != 0 || got.historyBytes() != unboundedHistory {
		t.Errorf("without a limit the ratio is %v and the share %d", got.usedRatio(), got.historyBytes())
	}
}

func TestFairLevel(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sizes        []int64
		budget, want int64
	}{
		{nil, 100, math.MaxInt64},
		{[]int64{40, 60}, 100, math.MaxInt64},
		{[]int64{200, 10}, 100, 90},
		{[]int64{70, 10, 60}, 100, 45},
		{[]int64{70, 60}, 0, 0},
	} {
		if got := fairLevel(test.sizes, test.budget); got != test.want {
			t.Errorf("fairLevel(%v, %d) returned %d, want %d", test.sizes, test.budget, got, test.want)
		}
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	t.Parallel()
	record := encodeRecord(sampleEvent(), []string{"builder"})
	for length := range len(record) {
		if _, err := decodeRecord("uid", "id", []byte(record[:length])); !errors.Is(err, errCorrupt) {
			t.Errorf("the first %d of %d bytes: %v, want errCorrupt", length, len(record), err)
		}
	}
}
