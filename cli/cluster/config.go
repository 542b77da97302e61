// Package cluster finds the API server for the long-running commands.
//
// It imports client-go's configuration only.
package cluster

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Config reads the kubeconfig file, or for an empty name the pod's own account.
func Config(kubeconfig string) (config *rest.Config, err error) {
	if kubeconfig == "" {
		config, err = rest.InClusterConfig()
	} else {
		config, err = clientcmd.BuildConfigFromFlags("", kubeconfig)
	}
	if err != nil {
		return nil, fmt.Errorf("cluster configuration: %w; give --kubeconfig outside a cluster", err)
	}
	return config, nil
}
