package compile

import (
	"cmp"
	"encoding/base64"
	"strings"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route"
)

// Endpoint compiles one endpoint.
func Endpoint(in Input) Result {
	spec := withDefaults(in.Endpoint.Spec)
	e := in.Endpoint
	r := &route.Endpoint{
		SchemaVersion: route.SchemaVersion,
		UID:           string(e.UID),
		Namespace:     e.Namespace,
		Name:          e.Name,
		Generation:    e.Generation,
	}
	var result Result
	checkLimits(&result, in)
	compilePlace(&result, r, in, spec)
	compileAdmission(&result, r, in, spec)
	compileSource(&result, r, spec)
	compileEvents(&result, r, spec)
	compileDelivery(&result, r, spec)
	compileKeys(&result, r, in, spec)
	compileVerification(&result, r, spec)
	compileTargets(&result, r, in, spec)
	if result.accepted() {
		checkRoute(&result, r)
	}
	if result.accepted() {
		result.Route = r
	}
	return result
}

// checkLimits comes first: what else is wrong need not be mended before the
// namespace has a place.
func checkLimits(result *Result, in Input) {
	if in.MaxEndpoints > 0 {
		result.refuse(v1alpha1.ReasonNamespaceLimitExceeded, "metadata.namespace",
			"namespace %s has its %d endpoints: delete one, or ask the platform team to raise the WebhookReceiver's "+
				"spec.namespaceLimits.maxEndpoints", in.Endpoint.Namespace, in.MaxEndpoints)
	}
}

// compilePlace sets where the endpoint listens.
func compilePlace(result *Result, r *route.Endpoint, in Input, spec v1alpha1.WebhookEndpointSpec) {
	r.Path = PathOf(in.Endpoint)
	checkPath(result, r.Namespace, r.Path)
	r.Hosts = compileHosts(result, spec.Hosts)
	if in.Holder != nil {
		result.refuse(v1alpha1.ReasonPathConflict, "spec.path",
			"path %s belongs to the older endpoint %s/%s; choose another spec.path, or give both distinct spec.hosts",
			r.Path, in.Holder.Namespace, in.Holder.Name)
	}
	result.URL = publicURL(in.ExternalURL, r.Hosts, r.Path)
	if in.ExternalURL != "" {
		r.URL = result.URL
	}
}

// compileAdmission sets what is accepted before anything is verified.
func compileAdmission(result *Result, r *route.Endpoint, in Input, spec v1alpha1.WebhookEndpointSpec) {
	r.AllowedIPRanges = compileRanges(result, in)
	r.MaxBodyBytes = int64(spec.MaxBodyBytes)
	if spec.RateLimit.RequestsPerSecond > 0 {
		r.RateLimit = &route.RateLimit{
			RequestsPerSecond: int(spec.RateLimit.RequestsPerSecond),
			Burst:             int(cmp.Or(spec.RateLimit.Burst, 2*spec.RateLimit.RequestsPerSecond)),
		}
	}
}

// compileDelivery sets how events are queued and retried.
func compileDelivery(result *Result, r *route.Endpoint, spec v1alpha1.WebhookEndpointSpec) {
	r.Suspend = spec.Suspend
	r.Delivery = route.Delivery(spec.Delivery)
	r.HistoryLimit = int(*spec.History.Limit)
	r.DeadMaxAgeSeconds = int64(spec.DeadLetters.MaxAgeSeconds)
	r.Retry = route.Retry{
		InitialBackoffSeconds: int64(spec.Retry.InitialBackoffSeconds),
		MaxBackoffSeconds:     int64(spec.Retry.MaxBackoffSeconds),
		MaxAgeSeconds:         int64(spec.Retry.MaxAgeSeconds),
		MaxAttempts:           int(spec.Retry.MaxAttempts),
	}
	if spec.Delivery != v1alpha1.DeliveryDirect {
		return
	}
	if len(spec.Targets) != 1 {
		result.refuse(v1alpha1.ReasonInvalidSpec, "spec.targets",
			"delivery: Direct answers with the target's own answer and needs exactly one target, there are %d",
			len(spec.Targets))
	}
	if spec.Suspend {
		result.refuse(v1alpha1.ReasonInvalidSpec, "spec.suspend",
			"delivery: Direct has no queue to hold events; use delivery: Queued")
	}
}

// checkRoute reports what only the whole route shows. Its own words name the
// route's fields, which are those of the spec.
func checkRoute(result *Result, r *route.Endpoint) {
	if err := r.Validate(); err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		result.refuse(v1alpha1.ReasonInvalidSpec, "spec", "%s", first)
		return
	}
	size, err := sizeOf(r)
	switch {
	case err != nil:
		result.refuse(v1alpha1.ReasonInvalidSpec, "spec", "%v", err)
	case size > route.MaxBytes:
		result.refuse(v1alpha1.ReasonRouteTooLarge, "spec",
			"the route takes %d bytes with its keys, expressions and ranges, at most %d are served: "+
				"spread the targets over several endpoints, or shorten what is longest", size, route.MaxBytes)
	}
}

// keyRoom is what the encoded bytes of a key are rounded up to when the route is
// measured, so that the size says nothing of the length of usual keys.
const keyRoom = 1 << 10

// sizeOf returns what the route takes as a document, or a little more.
func sizeOf(r *route.Endpoint) (int, error) {
	document, err := r.Marshal()
	if err != nil {
		return 0, err
	}
	size := len(document)
	for _, key := range r.Keys {
		size += spare(key.Value)
	}
	for i := range r.Targets {
		size += spare(r.Targets[i].SigningKey)
	}
	return size, nil
}

// spare is what is left of the room of a key.
func spare(key route.SecretBytes) int {
	return (keyRoom - base64.StdEncoding.EncodedLen(len(key))%keyRoom) % keyRoom
}
