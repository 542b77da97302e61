package route_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/receiver/route"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	if err := full().Validate(); err != nil {
		t.Fatal(err)
	}
	type e = route.Endpoint
	for want, edit := range map[string]func(*e){
		"uid: uid, namespace and name must be set":             func(r *e) { r.UID = "" },
		`path: "/prod/x" must start with /ci/`:                 func(r *e) { r.Path = "/prod/x" },
		`hosts[1]: "A.example" must be a lower-case`:           func(r *e) { r.Hosts = []string{"a.example", "A.example"} },
		`hosts[0]: "a:80" must be`:                             func(r *e) { r.Hosts = []string{"a:80"} },
		"unavailable: reason must be set":                      func(r *e) { r.Unavailable.Reason = "" },
		"source: exactly one of provider and scheme":           func(r *e) { r.Source.Provider = "github" },
		`source.enforcement: "Log" is unknown`:                 func(r *e) { r.Source.Enforcement = "Log" },
		`allowedIPRanges[0]: "10.0.0.1" is not a CIDR`:         func(r *e) { r.AllowedIPRanges = []string{"10.0.0.1"} },
		"maxBodyBytes: 0 is not between 1 and 26214400":        func(r *e) { r.MaxBodyBytes = 0 },
		"maxBodyBytes: 26214401 is not":                        func(r *e) { r.MaxBodyBytes = 26214401 },
		"rateLimit: requestsPerSecond and burst":               func(r *e) { r.RateLimit.Burst = 0 },
		"deduplication.windowSeconds: must not be negative":    func(r *e) { r.Deduplication.WindowSeconds = -1 },
		`deduplication.replayGuard: "Header" is unknown`:       func(r *e) { r.Deduplication.ReplayGuard = "Header" },
		`delivery: "" is unknown`:                              func(r *e) { r.Delivery = "" },
		"targets: delivery Direct has one target, there are 2": func(r *e) { r.Delivery = route.DeliveryDirect },
		"retry: initialBackoffSeconds must be at least 1":      func(r *e) { r.Retry.InitialBackoffSeconds = 0 },
		"at most maxBackoffSeconds":                            func(r *e) { r.Retry.MaxBackoffSeconds = 0 },
		"deadMaxAgeSeconds":                                    func(r *e) { r.DeadMaxAgeSeconds = -1 },
		"must not be negative":                                 func(r *e) { r.HistoryLimit = -1 },
		"targets: must not be empty":                           func(r *e) { r.Targets, r.Unavailable = nil, nil },
		`targets[1]: name "builder" is taken`:                  func(r *e) { r.Targets[1].Name = "builder" },
		`targets[0].format: "XML" is unknown`:                  func(r *e) { r.Targets[0].Format = "XML" },
		"targets[0]: name, namespace and service must be set":  func(r *e) { r.Targets[0].Service = "" },
		"targets[0]: port 0 is not between 1 and 65535":        func(r *e) { r.Targets[0].Port = 0 },
		"targets[0]: port 65536 is not between 1 and 65535":    func(r *e) { r.Targets[0].Port = 65536 },
		"targets[1]: unavailable: reason must be set":          func(r *e) { r.Targets[1].Unavailable.Reason = "" },
		`targets[0]: path "hooks" must start with a slash`:     func(r *e) { r.Targets[0].Path = "hooks" },
		"targets[0]: timeoutSeconds must be at least 1":        func(r *e) { r.Targets[0].TimeoutSeconds = 0 },
		"targets[1]: maxInFlight must be at least 1":           func(r *e) { r.Targets[1].MaxInFlight = 0 },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			r := full()
			edit(r)
			err := r.Validate()
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

// Everything that is wrong is said at once, each with the route's name.
func TestValidateReportsEverything(t *testing.T) {
	t.Parallel()
	r := full()
	r.MaxBodyBytes, r.Retry.InitialBackoffSeconds = 0, 0
	err := r.Validate()
	if err == nil || strings.Count(err.Error(), "route ci/github: ") != 2 {
		t.Errorf("got %v", err)
	}
}

// What an unavailable route lacks is what makes it unavailable.
func TestUnavailableRouteNeedsNoTarget(t *testing.T) {
	t.Parallel()
	r := full()
	r.Targets = nil
	r.Unavailable = &route.Unavailable{Reason: route.ReasonNoTarget}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
}
