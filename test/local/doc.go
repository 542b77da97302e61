// Package local runs Postern outside of a cluster, as processes of this machine:
// a real API server and etcd, and what a kubelet would start from the objects
// that the manager writes. The demo and the chaos suite share it.
//
// It imports Kubernetes clients, envtest and test/kube; it knows nothing of what
// its users do with the processes.
package local
