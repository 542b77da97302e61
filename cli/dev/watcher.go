package dev

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/postern-dev/postern/cli/manifests"
)

// settle is how long changes are gathered: editors write a file in several steps.
const settle = 100 * time.Millisecond

// watcher tells when any of the files may have changed.
type watcher struct {
	notify *fsnotify.Watcher
	// files are those that were named; folders are watched with all below.
	files   map[string]bool
	folders []string
}

func newWatcher(paths []string) (*watcher, error) {
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	w := &watcher{notify: notify, files: map[string]bool{}}
	for _, path := range paths {
		if path == manifests.Stdin {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			w.folders = append(w.folders, filepath.Clean(path))
			continue
		}
		w.files[filepath.Clean(path)] = true
	}
	return w, w.follow()
}

// follow watches folders, never files: editors replace files rather than
// write them, which would end a watch.
func (w *watcher) follow() error {
	for file := range w.files {
		if err := w.add(filepath.Dir(file)); err != nil {
			return err
		}
	}
	for _, folder := range w.folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case !entry.IsDir():
				return nil
			case path != folder && strings.HasPrefix(entry.Name(), "."):
				return filepath.SkipDir
			}
			return w.add(path)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("watch %s: %w", folder, err)
		}
	}
	return nil
}

func (w *watcher) add(folder string) error {
	err := w.notify.Add(folder)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil // reading the files says what is missing
	}
	return fmt.Errorf("watch %s: %w", folder, err)
}

// wait returns once something has changed and then been quiet for a moment. It
// returns an error when ctx ends or nothing can be watched any more.
func (w *watcher) wait(ctx context.Context) error {
	var quiet <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-quiet:
			return w.follow() // there may be new folders
		case _, open := <-w.notify.Errors:
			if !open {
				return errors.New("watch files: the watch has ended")
			}
			// Events may be lost then: look at the files to be sure.
			quiet = time.After(settle)
		case event, open := <-w.notify.Events:
			if !open {
				return errors.New("watch files: the watch has ended")
			}
			if w.concerns(event) {
				quiet = time.After(settle)
			}
		}
	}
}

// concerns leaves out what else happens in the folders of named files, and
// changes of modes and times.
func (w *watcher) concerns(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	path := filepath.Clean(event.Name)
	if w.files[path] {
		return true
	}
	for _, folder := range w.folders {
		if path == folder || strings.HasPrefix(path, folder+string(filepath.Separator)) || folder == "." {
			return true
		}
	}
	return false
}

func (w *watcher) close() { _ = w.notify.Close() }
