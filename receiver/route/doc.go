// Package route is the contract between the control plane and the data plane:
// one [Endpoint] is everything a receiver needs to serve one WebhookEndpoint,
// key material included, as a versioned JSON document.
//
// Both planes import it and it imports only the standard library. It knows
// neither Kubernetes nor Redis nor HTTP serving.
package route
