// Package crd carries the CustomResourceDefinitions of this build inside the
// binary, so that manifests can be checked by the cluster's own rules without
// a cluster.
//
// It imports the standard library only.
package crd

import "embed"

// Bases holds the generated definitions, one a file, under bases/.
//
//go:embed bases/*.yaml
var Bases embed.FS
