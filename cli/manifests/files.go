package manifests

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

var extensions = []string{".yaml", ".yml", ".json"}

// source is one file to read.
type source struct {
	path string
	// listed is true for a file that was named itself, not found in a folder.
	listed bool
}

// expand lists the files behind paths: folders stand for the manifests in and
// below them, hidden files and folders aside.
func expand(paths []string) ([]source, error) {
	var sources []source
	for _, path := range paths {
		if path == Stdin {
			sources = append(sources, source{path: path, listed: true})
			continue
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			sources = append(sources, source{path: path, listed: true})
			continue
		}
		found, err := walk(path)
		if err != nil {
			return nil, err
		}
		sources = append(sources, found...)
	}
	return sources, nil
}

func walk(folder string) ([]source, error) {
	var sources []source
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && path != folder
		switch {
		case entry.IsDir() && hidden:
			return filepath.SkipDir
		case entry.IsDir() || hidden || !slices.Contains(extensions, filepath.Ext(path)):
			return nil
		}
		sources = append(sources, source{path: path})
		return nil
	})
	if err == nil && len(sources) == 0 {
		err = fmt.Errorf("folder %s has no file that ends in %s", folder, strings.Join(extensions, ", "))
	}
	return sources, err
}

func read(path string, stdin io.Reader) ([]byte, error) {
	if path == Stdin {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(path)
}
