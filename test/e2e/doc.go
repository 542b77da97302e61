// Package e2e tests the deployment in a real cluster: `make e2e`.
//
// It needs KUBECONFIG, and the images IMG, REDIS_IMG and E2E_IMG in the nodes.
// E2E_STORAGE_CLASS names a class whose volumes user 65532 may write; the
// default is the cluster's default class. The tests drive the cluster through
// its API alone; requests are sent and received by an agent inside it.
package e2e
