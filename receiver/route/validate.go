package route

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// MaxBodyBytesLimit is the largest body an endpoint may accept, in bytes.
const MaxBodyBytesLimit = 26214400

// Validate reports everything that would make the route unsafe or impossible
// to serve, each error naming the field. Values of closed sets may be empty,
// which means the safe one; a value that this build does not know is refused.
func (e *Endpoint) Validate() error {
	problems := &problems{route: e.Namespace + "/" + e.Name}
	e.validatePlace(problems)
	e.validateAdmission(problems)
	e.validateDelivery(problems)
	e.validateTargets(problems)
	return errors.Join(problems.errs...)
}

// problems collects errors of one route.
type problems struct {
	route string
	errs  []error
}

func (p *problems) refuse(field, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("route %s: %s: %s", p.route, field, fmt.Sprintf(format, args...)))
}

// oneOf refuses values that are neither empty nor known.
func oneOf[T ~string](p *problems, field string, value T, known ...T) {
	if value != "" && !slices.Contains(known, value) {
		p.refuse(field, "%q is unknown", value)
	}
}

func (e *Endpoint) validatePlace(p *problems) {
	if e.UID == "" || e.Namespace == "" || e.Name == "" {
		p.refuse("uid", "uid, namespace and name must be set")
	}
	if !strings.HasPrefix(e.Path, "/"+e.Namespace+"/") {
		p.refuse("path", "%q must start with /%s/", e.Path, e.Namespace)
	}
	for i, host := range e.Hosts {
		if host == "" || host != strings.ToLower(host) || strings.ContainsAny(host, ":/ ") {
			p.refuse(fmt.Sprintf("hosts[%d]", i), "%q must be a lower-case host name without port", host)
		}
	}
	if e.Unavailable != nil && e.Unavailable.Reason == "" {
		p.refuse("unavailable", "reason must be set")
	}
}

func (e *Endpoint) validateAdmission(p *problems) {
	if (e.Source.Provider == "") == (e.Source.Scheme == nil) {
		p.refuse("source", "exactly one of provider and scheme must be set")
	}
	oneOf(p, "source.enforcement", e.Source.Enforcement, EnforcementEnforce, EnforcementAudit)
	for i, text := range e.AllowedIPRanges {
		if _, err := netip.ParsePrefix(text); err != nil {
			p.refuse(fmt.Sprintf("allowedIPRanges[%d]", i), "%q is not a CIDR", text)
		}
	}
	if e.MaxBodyBytes < 1 || e.MaxBodyBytes > MaxBodyBytesLimit {
		p.refuse("maxBodyBytes", "%d is not between 1 and %d", e.MaxBodyBytes, MaxBodyBytesLimit)
	}
	if e.RateLimit != nil && (e.RateLimit.RequestsPerSecond < 1 || e.RateLimit.Burst < 1) {
		p.refuse("rateLimit", "requestsPerSecond and burst must be at least 1")
	}
	if e.Deduplication.WindowSeconds < 0 {
		p.refuse("deduplication.windowSeconds", "must not be negative")
	}
	oneOf(p, "deduplication.replayGuard", e.Deduplication.ReplayGuard, ReplayGuardNone, ReplayGuardBody)
}

func (e *Endpoint) validateDelivery(p *problems) {
	switch e.Delivery {
	case DeliveryQueued:
	case DeliveryDirect:
		if len(e.Targets) > 1 {
			p.refuse("targets", "delivery Direct has one target, there are %d", len(e.Targets))
		}
	default:
		p.refuse("delivery", "%q is unknown", e.Delivery)
	}
	if e.Retry.InitialBackoffSeconds < 1 || e.Retry.MaxBackoffSeconds < e.Retry.InitialBackoffSeconds {
		p.refuse("retry", "initialBackoffSeconds must be at least 1 and at most maxBackoffSeconds")
	}
	if e.DeadMaxAgeSeconds < 0 {
		p.refuse("deadMaxAgeSeconds", "must not be negative")
	}
	if e.Retry.MaxAgeSeconds < 0 || e.Retry.MaxAttempts < 0 || e.HistoryLimit < 0 {
		p.refuse("retry", "maxAgeSeconds, maxAttempts and historyLimit must not be negative")
	}
}

func (e *Endpoint) validateTargets(p *problems) {
	if e.Unavailable == nil && len(e.Targets) == 0 {
		p.refuse("targets", "must not be empty")
	}
	names := map[string]bool{}
	for i := range e.Targets {
		target, field := &e.Targets[i], fmt.Sprintf("targets[%d]", i)
		if names[target.Name] {
			p.refuse(field, "name %q is taken", target.Name)
		}
		names[target.Name] = true
		oneOf(p, field+".format", target.Format, FormatOriginal, FormatCloudEvents)
		if err := target.validate(); err != nil {
			p.refuse(field, "%v", err)
		}
	}
}

func (t *Target) validate() error {
	switch {
	case t.Name == "" || t.Namespace == "" || t.Service == "":
		return errors.New("name, namespace and service must be set")
	case t.Unavailable == nil && (t.Port < 1 || t.Port > 65535):
		return fmt.Errorf("port %d is not between 1 and 65535", t.Port)
	case t.Unavailable != nil && t.Unavailable.Reason == "":
		return errors.New("unavailable: reason must be set")
	case !strings.HasPrefix(t.Path, "/"):
		return fmt.Errorf("path %q must start with a slash", t.Path)
	case t.TimeoutSeconds < 1:
		return errors.New("timeoutSeconds must be at least 1")
	case t.MaxInFlight < 1:
		return errors.New("maxInFlight must be at least 1")
	}
	return nil
}
