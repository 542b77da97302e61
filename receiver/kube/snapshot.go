package kube

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Installation string            `json:"installation,omitempty"`
	Routes       []json.RawMessage `json:"routes"`
}

// save replaces the file in one step: a reader finds the old or the new set,
// never a part of one.
func (s snapshot) save(content snapshotContent) error {
	if s.dir == "" {
		return nil
	}
	return s.replace(func(file io.Writer) error { return writeSnapshot(file, content) })
}

// writeSnapshot writes one route after the other: all of them in memory once more
// would weigh as much as the table.
func writeSnapshot(file io.Writer, content snapshotContent) error {
	out := bufio.NewWriter(file)
	separator := fmt.Sprintf(`{"installation":%q,"routes":[`, content.Installation)
	for _, document := range content.Routes {
		_, _ = out.WriteString(separator) // errors are kept until Flush
		_, _ = out.Write(document)
		separator = ","
	}
	if len(content.Routes) == 0 {
		_, _ = out.WriteString(separator)
	}
	_, _ = out.WriteString("]}")
	return out.Flush()
}

func (s snapshot) replace(write func(io.Writer) error) (err error) {
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
	err = write(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(s.dir, snapshotFile))
}

// load returns the kept set and the installation that it is of, or nil when
// there is none.
func (s snapshot) load() (routes []*route.Endpoint, installation string, err error) {
	if s.dir == "" {
		return nil, "", nil
	}
	path := filepath.Join(s.dir, snapshotFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	var content snapshotContent
	if err := json.Unmarshal(data, &content); err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	routes = make([]*route.Endpoint, 0, len(content.Routes))
	for _, document := range content.Routes {
		endpoint, err := route.Unmarshal(document)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", path, err)
		}
		routes = append(routes, endpoint)
	}
	return routes, content.Installation, nil
}
