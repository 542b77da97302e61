// Package helm runs bin/helm for the tests of the chart, with settings of its
// own. It imports the standard library only.
package helm

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Program is Helm as `make bin/helm` builds it.
type Program struct {
	path        string
	environment []string
}

// Find returns the program of the project whose top folder is root. It keeps its
// caches in home and talks to the cluster of kubeconfig; empty means none.
func Find(root, home, kubeconfig string) (*Program, error) {
	path, err := filepath.Abs(filepath.Join(root, "bin/helm"))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w: run `make bin/helm`", err)
	}
	environment := append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	if kubeconfig != "" {
		environment = append(environment, "KUBECONFIG="+kubeconfig)
	}
	return &Program{path: path, environment: environment}, nil
}

// Run runs it and returns what it printed; the error has what it complained of.
func (p *Program) Run(ctx context.Context, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, p.path, arguments...)
	command.Env = p.environment
	var out, problems bytes.Buffer
	command.Stdout, command.Stderr = &out, &problems
	if err := command.Run(); err != nil {
		return out.String(), fmt.Errorf("helm %s: %w: %s", arguments[0], err, problems.String())
	}
	return out.String(), nil
}
