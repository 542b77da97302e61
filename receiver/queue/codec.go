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

	"github.com/redis/rueidis"

	"github.com/postern-dev/postern/receiver/event"
)

// A record is: one byte of schema version, the SHA-256 of all that follows, the
// length of the meta part in four bytes, the meta part, and the body. The meta
// part has the fields in the order of appendMeta, strings as length and bytes. A
// reader ignores what follows the fields that it knows, so that a newer writer
// may append; anything else raises the version.
//
// A record whose body was given up has the version with goneFlag, and the size of
// the body as text in its place. Nothing vouches for its bytes any more.
const (
	schemaVersion = 2
	goneFlag      = 0x80
	sumEnd        = 1 + sha256.Size
	recordHeader  = sumEnd + 4
)

var (
	// errCorrupt means that stored bytes are not the ones that were written.
	errCorrupt = errors.New("stored event does not match its checksum")
	// errNewer means that a newer version of Postern wrote the record.
	errNewer = errors.New("stored event has a schema version that this version does not know")
)

const verifiedFlag = 1

// encodeRecord makes the record of an event for the named targets.
func encodeRecord(e *event.Event, targets []string) string {
	record := make([]byte, recordHeader, recordHeader+recordRoom+len(e.Body))
	record[0] = schemaVersion
	record = appendMeta(record, e, targets)
	binary.BigEndian.PutUint32(record[sumEnd:], uint32(len(record)-recordHeader))
	record = append(record, e.Body...)
	sum := sha256.Sum256(record[sumEnd:])
	copy(record[1:], sum[:])
	return rueidis.BinaryString(record)
}

// recordRoom is about what the meta part of a webhook takes.
const recordRoom = 1 << 10

func appendMeta(b []byte, e *event.Event, targets []string) []byte {
	var flags byte
	if e.Verified {
		flags |= verifiedFlag
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, e.ReceivedAt.UnixNano())
	for _, text := range [...]string{
		e.Namespace, e.Endpoint, e.Source, e.Type, e.DeliveryID, e.TraceParent, e.Method, e.RawQuery,
	} {
		b = appendText(b, text)
	}
	b = appendTexts(b, targets)
	b = binary.AppendUvarint(b, uint64(len(e.Header)))
	for name, values := range e.Header {
		b = appendText(b, name)
		b = appendTexts(b, values)
	}
	return b
}

// decodeRecord reads a whole event and makes sure that its bytes are those
// written. The event's body is a part of the record, which must not change.
func decodeRecord(endpointUID, id string, record []byte) (*event.Event, error) {
	if len(record) > 0 && record[0]&goneFlag != 0 {
		return nil, fmt.Errorf("%w: %d", errNewer, record[0])
	}
	if len(record) >= recordHeader && record[0] == schemaVersion {
		if sum := sha256.Sum256(record[sumEnd:]); string(sum[:]) != string(record[1:sumEnd]) {
			return nil, errCorrupt
		}
	}
	e, _, body, err := decodeStart(rueidis.BinaryString(record))
	if err != nil {
		return nil, err
	}
	e.ID, e.EndpointUID, e.Body = id, endpointUID, slices.Clip(record[len(record)-len(body):])
	return e, nil
}

// decodeStart reads a record, or the part of one before its body, unchecked; the
// caller adds id and uid. It reads records without their bodies too.
func decodeStart(record string) (e *event.Event, targets []string, body string, err error) {
	if len(record) < recordHeader {
		return nil, nil, "", errCorrupt
	}
	if record[0]&^goneFlag != schemaVersion {
		return nil, nil, "", fmt.Errorf("%w: %d", errNewer, record[0])
	}
	length := int64(binary.BigEndian.Uint32([]byte(record[sumEnd:recordHeader])))
	if length > int64(len(record)-recordHeader) {
		return nil, nil, "", errCorrupt
	}
	meta, body := record[recordHeader:recordHeader+length], record[recordHeader+length:]
	e, targets, err = decodeMeta(meta)
	return e, targets, body, err
}

// decodeMeta is the inverse of appendMeta.
func decodeMeta(meta string) (e *event.Event, targets []string, err error) {
	r := metaReader{rest: meta}
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
