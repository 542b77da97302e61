// Package manifests reads Kubernetes objects from YAML and JSON files as the
// API server would: strict decoding, the schema and the validation rules of
// the embedded definitions, and their defaults. Every problem it reports
// carries file and line.
//
// It imports api, config/crd and the Kubernetes schema libraries; it talks to
// no cluster and knows nothing of verification or delivery.
package manifests
