package queue

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/event"
)

// The meta field of a record is: one byte of schema version, the SHA-256 of all
// that follows and of the body, then the fields in the order of encodeMeta,
// strings as length and bytes. A reader ignores what follows the fields that it
// knows, so that a newer writer may append; anything else raises the version.
const (
	schemaVersion = 1
	metaHeader    = 1 + sha256.Size
)

var (
	// errCorrupt means that stored bytes are not the ones that were written.
	errCorrupt = errors.New("stored event does not match its checksum")
	// errNewer means that a newer version of Postern wrote the record.
	errNewer = errors.New("stored event has a schema version that this version does not know")
)

const verifiedFlag = 1

// encodeMeta makes the meta field of an event for the named targets.
func encodeMeta(e *event.Event, targets []string) []byte {
	meta := make([]byte, metaHeader, 512)
	meta[0] = schemaVersion
	var flags byte
	if e.Verified {
		flags |= verifiedFlag
	}
	meta = append(meta, flags)
	meta = binary.AppendVarint(meta, e.ReceivedAt.UnixNano())
	for _, text := range []string{
		e.Namespace, e.Endpoint, e.Source, e.Type, e.DeliveryID, e.TraceParent, e.Method, e.RawQuery,
	} {
		meta = appendText(meta, text)
	}
	meta = appendTexts(meta, targets)
	meta = binary.AppendUvarint(meta, uint64(len(e.Header)))
	for name, values := range e.Header {
		meta = appendText(meta, name)
		meta = appendTexts(meta, values)
	}
	sum := checksum(meta, e.Body)
	copy(meta[1:], sum[:])
	return meta
}

// decodeMeta is the inverse of encodeMeta; the caller adds id, uid and body.
func decodeMeta(meta string) (e *event.Event, targets []string, err error) {
	if len(meta) < metaHeader {
		return nil, nil, errCorrupt
	}
	if meta[0] != schemaVersion {
		return nil, nil, fmt.Errorf("%w: %d", errNewer, meta[0])
	}
	r := metaReader{rest: meta[metaHeader:]}
	e = &event.Event{Verified: r.flags()&verifiedFlag != 0, ReceivedAt: time.Unix(0, r.varint()).UTC()}
	for _, text := range []*string{
		&e.Namespace, &e.Endpoint, &e.Source, &e.Type, &e.DeliveryID, &e.TraceParent, &e.Method, &e.RawQuery,
	} {
		*text = r.text()
	}
	targets = r.texts()
	headers := r.count()
	e.Header = make(http.Header, headers)
	for range headers {
		name := r.text()
		e.Header[name] = r.texts()
	}
	if r.short {
		return nil, nil, errCorrupt
	}
	return e, targets, nil
}

// decodeEvent reads a whole event and makes sure that its bytes are those written.
func decodeEvent(endpointUID, id, meta string, body []byte) (*event.Event, error) {
	if len(meta) >= metaHeader && meta[0] == schemaVersion {
		if sum := checksum([]byte(meta), body); string(sum[:]) != meta[1:metaHeader] {
			return nil, errCorrupt
		}
	}
	e, _, err := decodeMeta(meta)
	if err != nil {
		return nil, err
	}
	e.ID, e.EndpointUID, e.Body = id, endpointUID, body
	return e, nil
}

func checksum(meta, body []byte) (sum [sha256.Size]byte) {
	hash := sha256.New()
	hash.Write(meta[metaHeader:])
	hash.Write(body)
	hash.Sum(sum[:0])
	return sum
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func appendTexts(b []byte, texts []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(texts)))
	for _, text := range texts {
		b = appendText(b, text)
	}
	return b
}

// metaReader takes fields off a meta string; once it comes up short it returns zeros.
type metaReader struct {
	rest  string
	short bool
}

func (r *metaReader) flags() byte {
	return r.take(1)[0]
}

// take returns n bytes, zeros when there are not so many.
func (r *metaReader) take(n int) string {
	if n > len(r.rest) {
		r.short, r.rest = true, ""
		return strings.Repeat("\x00", min(n, binary.MaxVarintLen64))
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *metaReader) varint() int64 {
	value, n := binary.Varint([]byte(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	r.skip(n)
	return value
}

// count reads a length. Everything counted takes at least a byte, which bounds
// what a damaged length can make us allocate.
func (r *metaReader) count() int {
	value, n := binary.Uvarint([]byte(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	r.skip(n)
	if value > uint64(len(r.rest)) {
		r.short, r.rest = true, ""
		return 0
	}
	return int(value)
}

func (r *metaReader) skip(n int) {
	if n <= 0 {
		r.short, r.rest = true, ""
		return
	}
	r.rest = r.rest[n:]
}

func (r *metaReader) text() string {
	return strings.Clone(r.take(r.count()))
}

func (r *metaReader) texts() []string {
	n := r.count()
	texts := make([]string, 0, n)
	for range n {
		texts = append(texts, r.text())
	}
	return slices.Clip(texts)
}
