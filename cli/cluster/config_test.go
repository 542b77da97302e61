package cluster_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/cluster"
)

func TestConfigSaysWhatToDo(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for name, kubeconfig := range map[string]string{
		"outside a cluster": "", "no such file": filepath.Join(t.TempDir(), "none"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := cluster.Config(kubeconfig)
			if err == nil || !strings.Contains(err.Error(), "give --kubeconfig") {
				t.Errorf("got %v, want an error that names the flag", err)
			}
		})
	}
}
