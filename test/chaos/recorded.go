package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/postern-dev/postern/test/chaos/check"
	"github.com/postern-dev/postern/test/chaos/history"
	"github.com/postern-dev/postern/test/chaos/report"
	"github.com/postern-dev/postern/test/chaos/trim"
)

// caseFile is the history of a case.
const caseFile = "history.jsonl"

// judgeRecorded judges a history that was recorded before, and writes its reports anew.
func (o *options) judgeRecorded() error {
	result, err := report.Write(o.recorded)
	if err != nil {
		return err
	}
	if err := report.Text(os.Stdout, result); err != nil {
		return err
	}
	if !result.OK() {
		return errBroken
	}
	return nil
}

// trimRecorded makes a case of a recorded history.
func (o *options) trimRecorded() error {
	if o.into == "" {
		return errors.New("-into must name the folder of the case")
	}
	what := trim.What{Invariant: check.Invariant(o.invariant)}
	if o.event != "" {
		what.Events = strings.Split(o.event, ",")
	}
	records, result, err := trim.Cut(o.trimmed, what)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.into, 0o750); err != nil {
		return err
	}
	path := filepath.Join(o.into, caseFile)
	if err := writeRecords(path, records); err != nil {
		return err
	}
	fmt.Printf("%d records in %s\n", len(records), path)
	return report.Text(os.Stdout, result)
}

func writeRecords(path string, records []history.Record) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffer := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffer)
	for _, record := range records {
		if err := encoder.Encode(record); err != nil {
			return err
		}
	}
	return buffer.Flush()
}
