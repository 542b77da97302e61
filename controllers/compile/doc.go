// Package compile turns a WebhookEndpoint and what it refers to into the route
// that receivers serve, and into problems for people.
//
// It is pure: no client, no clock, no context; equal input gives equal bytes.
// It imports api, receiver/route, receiver/expr, receiver/verify and Kubernetes
// API types. What the schema refuses it refuses too, because the manifests that
// `postern dev` reads and objects of older schemas reach it as well.
package compile
