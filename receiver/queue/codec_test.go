package queue

import (
	"errors"
	"net/http"
	"reflect"
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

func TestMetaRoundTrip(t *testing.T) {
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
		meta := string(encodeMeta(want, []string{"builder", "auditor"}))
		got, err := decodeEvent("uid", want.ID, meta, want.Body)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: read back %+v and %v, want %+v", name, got, err, want)
		}
		if _, targets, _ := decodeMeta(meta); !reflect.DeepEqual(targets, []string{"builder", "auditor"}) {
			t.Errorf("%s: read back targets %q", name, targets)
		}
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	t.Parallel()
	e := sampleEvent()
	meta := encodeMeta(e, []string{"builder"})
	for at := range meta {
		for bit := range 8 {
			meta[at] ^= 1 << bit
			_, err := decodeEvent("uid", e.ID, string(meta), e.Body)
			if at == 0 && !errors.Is(err, errNewer) || at > 0 && !errors.Is(err, errCorrupt) {
				t.Errorf("bit %d of byte %d: %v", bit, at, err)
			}
			meta[at] ^= 1 << bit
		}
	}
	if _, err := decodeEvent("uid", e.ID, string(meta), []byte("{}\n\x01")); !errors.Is(err, errCorrupt) {
		t.Errorf("another body: %v", err)
	}
}

// TestMetaReaderIgnoresMore lets a newer version append fields.
func TestMetaReaderIgnoresMore(t *testing.T) {
	t.Parallel()
	e := sampleEvent()
	meta := append(encodeMeta(e, []string{"builder"}), "a field of the future"...)
	sum := checksum(meta, e.Body)
	copy(meta[1:], sum[:])
	if got, err := decodeEvent("uid", e.ID, string(meta), e.Body); err != nil || !reflect.DeepEqual(got, e) {
		t.Errorf("read back %+v and %v", got, err)
	}
}

// TestMetaGolden pins the format: events of the last version are in stores.
func TestMetaGolden(t *testing.T) {
	t.Parallel()
	e := sampleEvent()
	e.Header = http.Header{"X-Two": {"one", ""}}
	got := encodeMeta(e, []string{"builder"})[metaHeader:]
	const fields = "\x01\xaa\xa4\xce\xe9\xee\xee\xde\x9c\x31" +
		"\x02ci\x06github\x06github\x04push\x0872d3162e\x00\x04POST\x03a=1" +
		"\x01\x07builder\x01\x05X-Two\x02\x03one\x00"
	if string(got) != fields {
		t.Errorf("the fields are\n%q, want\n%q", got, fields)
	}
}

func FuzzDecodeMeta(f *testing.F) {
	e := sampleEvent()
	f.Add(string(encodeMeta(e, []string{"builder"})), e.Body)
	f.Add("", []byte(nil))
	f.Fuzz(func(t *testing.T, meta string, body []byte) {
		decoded, targets, err := decodeMeta(meta)
		if err != nil {
			return
		}
		decoded.Body = body
		again, targetsAgain, err := decodeMeta(string(encodeMeta(decoded, targets)))
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again.Body = body
		if !reflect.DeepEqual(again, decoded) || !reflect.DeepEqual(targetsAgain, targets) {
			t.Errorf("read %+v, then %+v", decoded, again)
		}
	})
}

func TestParseInfo(t *testing.T) {
	t.Parallel()
	got := parseInfo("# Server\r\nrun_id:abc\r\nused_memory:250\r\nmaxmemory:1000\r\naof_last_write_status:err\r\n")
	if want := (serverInfo{runID: "abc", usedRatio: 0.25, aofWriteError: true}); got != want {
		t.Errorf("parsed %+v, want %+v", got, want)
	}
	if got := parseInfo("used_memory:250\r\nmaxmemory:0\r\naof_last_write_status:ok\r\n"); got != (serverInfo{}) {
		t.Errorf("without a limit parsed %+v", got)
	}
}

func TestEveryTruncationIsNoticed(t *testing.T) {
	t.Parallel()
	meta := string(encodeMeta(sampleEvent(), []string{"builder"}))
	for length := range len(meta) {
		if _, _, err := decodeMeta(meta[:length]); !errors.Is(err, errCorrupt) {
			t.Errorf("the first %d of %d bytes: %v, want errCorrupt", length, len(meta), err)
		}
	}
}
