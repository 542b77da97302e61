package history

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

const (
	extension = ".jsonl"
	// flushEvery bounds what the crash of the recording process itself loses.
	flushEvery = 200 * time.Millisecond
	// keptSkew is below what a clock that is being disciplined wanders.
	keptSkew = time.Millisecond
)

// epoch is when this process started, on both clocks.
var epoch = time.Now()

// Now is the time for [Record.At].
func Now() int64 { return epoch.UnixNano() + int64(time.Since(epoch)) }

// Writer appends the records of one actor to its file. It is safe for
// concurrent use; the lines of a file are in the order of their times.
type Writer struct {
	mu     sync.Mutex
	file   *os.File
	buffer *bufio.Writer
	line   []byte
	failed error
	closed chan struct{}
	ended  chan struct{}
}

// Create starts the file of an actor in a folder. The actor's name is part of
// the file's.
func Create(folder, actor string) (*Writer, error) {
	file, err := os.Create(filepath.Join(folder, actor+extension))
	if err != nil {
		return nil, err
	}
	w := &Writer{
		file:   file,
		buffer: bufio.NewWriterSize(file, 256<<10),
		closed: make(chan struct{}),
		ended:  make(chan struct{}),
	}
	go w.flush()
	return w, nil
}

// Write stamps a record with the time and appends it, and returns that time.
// An error is kept for Close: an actor in the middle of its work has no use for it.
func (w *Writer) Write(record Record) int64 {
	record.At, record.Skew = 0, 0
	content, err := json.Marshal(record)
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	at := epoch.UnixNano() + int64(now.Sub(epoch))
	if err != nil {
		w.failed = errors.Join(w.failed, err)
		return at
	}
	w.line = strconv.AppendInt(append(w.line[:0], `{"t":`...), at, 10)
	if skew := time.Duration(now.UnixNano() - at); skew.Abs() >= keptSkew {
		w.line = strconv.AppendInt(append(w.line, `,"skew":`...), int64(skew), 10)
	}
	w.line = append(append(w.line, content[len(`{"t":0`):]...), '\n')
	if _, err := w.buffer.Write(w.line); err != nil {
		w.failed = errors.Join(w.failed, err)
	}
	return at
}

func (w *Writer) flush() {
	defer close(w.ended)
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			w.mu.Lock()
			_ = w.buffer.Flush() // the buffer keeps the error and returns it at the end
			w.mu.Unlock()
		case <-w.closed:
			return
		}
	}
}

// Close writes what is buffered and returns the first thing that went wrong.
// Nothing may be written after it.
func (w *Writer) Close() error {
	close(w.closed)
	<-w.ended
	return errors.Join(w.failed, w.buffer.Flush(), w.file.Close())
}
