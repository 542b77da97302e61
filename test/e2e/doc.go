// Package e2e tests the deployment in a real cluster: `make e2e`.
//
// It needs KUBECONFIG, and the images IMG, REDIS_IMG and E2E_IMG in the nodes.
// The default StorageClass, or the one of E2E_STORAGE_CLASS, must make volumes
// that user 65532 may write. E2E_PREVIOUS_CHART and E2E_PREVIOUS_IMG name an
// earlier release to upgrade from; the default is this tree under an earlier
// version. The tests drive the cluster through its API and Helm alone; requests
// are sent and received by an agent inside it.
package e2e
