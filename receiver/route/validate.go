package route

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// MaxBodyBytesLimit is the largest body an endpoint may accept, in bytes.
const MaxBodyBytesLimit = 26214400

// Validate reports everything that would make the route unsafe or impossible
// to serve, each error naming the field.
func (e *Endpoint) Validate() error {
	var errs []error
	refuse := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("route %s/%s: %s: %s", e.Namespace, e.Name, field, fmt.Sprintf(format, args...)))
	}
	if e.UID == "" || e.Namespace == "" || e.Name == "" {
		refuse("uid", "uid, namespace and name must be set")
	}
	if !strings.HasPrefix(e.Path, "/"+e.Namespace+"/") {
		refuse("path", "%q must start with /%s/", e.Path, e.Namespace)
	}
	if (e.Source.Provider == "") == (e.Source.Scheme == nil) {
		refuse("source", "exactly one of provider and scheme must be set")
	}
	for i, text := range e.AllowedIPRanges {
		if _, err := netip.ParsePrefix(text); err != nil {
			refuse(fmt.Sprintf("allowedIPRanges[%d]", i), "%q is not a CIDR", text)
		}
	}
	if e.MaxBodyBytes < 1 || e.MaxBodyBytes > MaxBodyBytesLimit {
		refuse("maxBodyBytes", "%d is not between 1 and %d", e.MaxBodyBytes, MaxBodyBytesLimit)
	}
	if e.RateLimit != nil && (e.RateLimit.RequestsPerSecond < 1 || e.RateLimit.Burst < 1) {
		refuse("rateLimit", "requestsPerSecond and burst must be at least 1")
	}
	if e.Deduplication.WindowSeconds < 0 {
		refuse("deduplication.windowSeconds", "must not be negative")
	}
	switch e.Delivery {
	case DeliveryQueued, DeliveryDirect:
	default:
		refuse("delivery", "%q is unknown", e.Delivery)
	}
	if e.Retry.InitialBackoffSeconds < 1 || e.Retry.MaxBackoffSeconds < e.Retry.InitialBackoffSeconds {
		refuse("retry", "initialBackoffSeconds must be at least 1 and at most maxBackoffSeconds")
	}
	if e.Unavailable == nil && len(e.Targets) == 0 {
		refuse("targets", "must not be empty")
	}
	names := map[string]bool{}
	for i, target := range e.Targets {
		field := fmt.Sprintf("targets[%d]", i)
		if names[target.Name] {
			refuse(field, "name %q is taken", target.Name)
		}
		names[target.Name] = true
		if err := target.validate(); err != nil {
			refuse(field, "%v", err)
		}
	}
	return errors.Join(errs...)
}

func (t Target) validate() error {
	switch {
	case t.Name == "" || t.Namespace == "" || t.Service == "":
		return errors.New("name, namespace and service must be set")
	case t.Unavailable == nil && (t.Port < 1 || t.Port > 65535):
		return fmt.Errorf("port %d is not between 1 and 65535", t.Port)
	case !strings.HasPrefix(t.Path, "/"):
		return fmt.Errorf("path %q must start with a slash", t.Path)
	case t.TimeoutSeconds < 1:
		return errors.New("timeoutSeconds must be at least 1")
	case t.MaxInFlight < 1:
		return errors.New("maxInFlight must be at least 1")
	}
	return nil
}
