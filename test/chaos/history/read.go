package history

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
)

// maxLine bounds a line; a scrape of many endpoints is the longest.
const maxLine = 4 << 20

// Read returns all records of a folder in the order of their times, without
// holding them in memory. A last line that a crash cut short is left out. After
// an error, which names file and line, there is nothing more.
func Read(folder string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		paths, err := filepath.Glob(filepath.Join(folder, "*"+extension))
		if err == nil && len(paths) == 0 {
			err = fmt.Errorf("%s has no history: no file there ends in %s", folder, extension)
		}
		if err != nil {
			yield(Record{}, err)
			return
		}
		var streams merge
		defer func() {
			for _, s := range streams {
				s.file.Close()
			}
		}()
		for _, path := range paths {
			s, err := open(path)
			if err == nil {
				streams = append(streams, s)
				err = s.advance()
			}
			if err != nil && !errors.Is(err, io.EOF) {
				yield(Record{}, err)
				return
			}
			if err != nil {
				streams = streams[:len(streams)-1]
				s.file.Close()
			}
		}
		heap.Init(&streams)
		streams.yield(yield)
	}
}

// stream is one file and its next record.
type stream struct {
	path    string
	actor   string
	file    *os.File
	scanner *bufio.Scanner
	number  int
	next    Record
}

func open(path string) (*stream, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	scanner := bufio.NewScanner(file)
	scanner.Buffer(make([]byte, 0, 64<<10), maxLine)
	scanner.Split(wholeLines)
	return &stream{
		path: path, actor: strings.TrimSuffix(filepath.Base(path), extension), file: file, scanner: scanner,
	}, nil
}

// wholeLines leaves out a last line without an end.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		return end + 1, data[:end], nil
	}
	if atEOF {
		return len(data), nil, nil
	}
	return 0, nil, nil
}

// advance reads the next record; io.EOF means that there is none.
func (s *stream) advance() error {
	if !s.scanner.Scan() {
		if err := s.scanner.Err(); err != nil {
			return fmt.Errorf("%s:%d: %w", s.path, s.number+1, err)
		}
		return io.EOF
	}
	s.number++
	s.next = Record{Actor: s.actor}
	if err := json.Unmarshal(s.scanner.Bytes(), &s.next); err != nil {
		return fmt.Errorf("%s:%d: %w", s.path, s.number, err)
	}
	return nil
}

// merge is a heap of streams by the time of their next record.
type merge []*stream

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return m[i].next.At < m[j].next.At }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(s any)        { *m = append(*m, s.(*stream)) }
func (m *merge) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

func (m *merge) yield(yield func(Record, error) bool) {
	for len(*m) > 0 {
		first := (*m)[0]
		if !yield(first.next, nil) {
			return
		}
		switch err := first.advance(); {
		case errors.Is(err, io.EOF):
			first.file.Close()
			heap.Pop(m)
		case err != nil:
			yield(Record{}, err)
			return
		default:
			heap.Fix(m, 0)
		}
	}
}
