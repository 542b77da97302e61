// Package server is the life of a receiver: its listeners, its readiness, the
// way from a source of routes to the table in force, and the way down.
//
// It wires ingest, deliver, queue, table and metrics together; where routes
// come from is a [Source], so that a cluster and a folder of files share all
// the rest. It reads no flags and handles no signals.
package server
