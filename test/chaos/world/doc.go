// Package world runs Postern's processes for a chaos run: a control plane and
// the manager, which last for the whole command, and for each scenario a store
// and receivers, which faults kill, stop, cut off and start again as a kubelet
// would. Everything that a process does by itself is written to the history.
//
// It imports test/local, and the proxy, shim and history of the suite.
package world
