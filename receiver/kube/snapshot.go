package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/postern-dev/postern/receiver/route"
)

// snapshotFile is the file in the snapshot directory.
const snapshotFile = "routes.json"

// snapshot keeps the last set of routes in a directory; without one it keeps nothing.
type snapshot struct{ dir string }

type snapshotContent struct {
	Routes []json.RawMessage `json:"routes"`
}

// save replaces the file in one step: a reader finds the old or the new set,
// never a part of one.
func (s snapshot) save(routes []*route.Endpoint) error {
	if s.dir == "" {
		return nil
	}
	content := snapshotContent{Routes: make([]json.RawMessage, 0, len(routes))}
	for _, endpoint := range routes {
		document, err := endpoint.Marshal()
		if err != nil {
			return err
		}
		content.Routes = append(content.Routes, document)
	}
	data, err := json.Marshal(content)
	if err != nil {
		return err
	}
	return s.replace(data)
}

func (s snapshot) replace(data []byte) (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(s.dir, "."+snapshotFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(data)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(s.dir, snapshotFile))
}

// load returns the kept set, or nil when there is none.
func (s snapshot) load() ([]*route.Endpoint, error) {
	if s.dir == "" {
		return nil, nil
	}
	path := filepath.Join(s.dir, snapshotFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var content snapshotContent
	if err := json.Unmarshal(data, &content); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	routes := make([]*route.Endpoint, 0, len(content.Routes))
	for _, document := range content.Routes {
		endpoint, err := route.Unmarshal(document)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		routes = append(routes, endpoint)
	}
	return routes, nil
}
