package controltest

import (
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Kubeconfig writes what a user of the cluster would have, for commands that
// read it from a file, and returns the file's name.
func (c *Cluster) Kubeconfig(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	err := clientcmd.WriteToFile(api.Config{
		Clusters: map[string]*api.Cluster{"c": {Server: c.Config.Host, CertificateAuthorityData: c.Config.CAData}},
		AuthInfos: map[string]*api.AuthInfo{
			"u": {ClientCertificateData: c.Config.CertData, ClientKeyData: c.Config.KeyData},
		},
		Contexts:       map[string]*api.Context{"x": {Cluster: "c", AuthInfo: "u", Namespace: "ci"}},
		CurrentContext: "x",
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
