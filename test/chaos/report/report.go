// Package report tells people what a chaos run showed: a summary as text and a
// page of HTML that needs nothing but itself, with a timeline and the whole
// story of every event that went wrong.
//
// It imports check, history and the standard library.
package report

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/history"
)

// Names of the files that Write makes.
const (
	TextFile = "report.txt"
	HTMLFile = "report.html"
)

// Write judges the history in a folder and writes both reports beside it.
func Write(folder string) (*check.Result, error) {
	line := &timeline{}
	result, err := check.Check(line.watch(history.Read(folder)))
	if err != nil {
		return nil, err
	}
	stories, err := tell(history.Read(folder), result)
	if err != nil {
		return nil, err
	}
	for name, render := range map[string]func(io.Writer) error{
		TextFile: func(w io.Writer) error { return Text(w, result) },
		HTMLFile: func(w io.Writer) error { return html(w, result, line, stories) },
	} {
		var content bytes.Buffer
		if err := render(&content); err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), content.Bytes(), 0o600); err != nil {
			return nil, err
		}
	}
	return result, nil
}

const (
	// storiesTold bounds the events whose stories are told.
	storiesTold = 20
	// faultsTold bounds the faults between two records of a story.
	faultsTold = 8
)

// story is all that a history has about one event, and the faults meanwhile.
type story struct {
	id      string
	records []history.Record
	faults  []history.Record
}

// add appends a record of the event after the faults before it.
func (s *story) add(record history.Record) {
	s.records = append(append(s.records, s.faults...), record)
	s.faults = nil
}

// tell finds the stories of the events in violations.
func tell(records iter.Seq2[history.Record, error], result *check.Result) ([]*story, error) {
	var stories []*story
	byID := map[string]*story{}
	for i := range result.Verdicts {
		for _, violation := range result.Verdicts[i].Violations {
			if byID[violation.ID] != nil || violation.ID == "" || len(stories) == storiesTold {
				continue
			}
			byID[violation.ID] = &story{id: violation.ID}
			stories = append(stories, byID[violation.ID])
		}
	}
	if len(stories) == 0 {
		return nil, nil
	}
	for record, err := range records {
		if err != nil {
			return nil, err
		}
		if s := byID[record.Sender()]; s != nil {
			s.add(record)
		}
		if record.Fault == nil {
			continue
		}
		for _, s := range stories {
			if len(s.records) > 0 && len(s.faults) < faultsTold {
				s.faults = append(s.faults, record)
			}
		}
	}
	for _, s := range stories {
		s.records = append(s.records, s.faults...)
	}
	return stories, nil
}
