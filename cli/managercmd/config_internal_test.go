package managercmd

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRequestsAreNotLimitedByTheClient(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	content := `{"clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}],
		"contexts": [{"name": "a", "context": {"cluster": "a"}}], "current-context": "a"}`
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := clusterConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if config.QPS >= 0 || config.RateLimiter != nil {
		t.Errorf("requests are limited to %v a second; the API server limits them itself", config.QPS)
	}
}
