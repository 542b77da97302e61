package compile

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// PathOf returns the request path of an endpoint.
func PathOf(endpoint *v1alpha1.WebhookEndpoint) string {
	if endpoint.Spec.Path != "" {
		return endpoint.Spec.Path
	}
	return "/" + endpoint.Namespace + "/" + endpoint.Name
}

var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~!$&()*+,;=:@-]+)+$`)

// checkPath keeps a namespace within its own prefix. Only plain paths are
// possible, so that there is one spelling of each and no way around the prefix.
func checkPath(result *Result, namespace, path string) {
	prefix := "/" + namespace + "/"
	switch {
	case !strings.HasPrefix(path, prefix):
		result.refuse(v1alpha1.ReasonInvalidPath, "spec.path",
			"path %q must start with %s, the prefix of its namespace", path, prefix)
	case !plainPath.MatchString(path):
		result.refuse(v1alpha1.ReasonInvalidPath, "spec.path",
			"path %q must have no query, percent-encoding, empty segment or slash at the end", path)
	case slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." }):
		result.refuse(v1alpha1.ReasonInvalidPath, "spec.path",
			"path %q must not contain the segments . or ..: write the path that they would lead to", path)
	}
}

func compileHosts(result *Result, hosts []v1alpha1.Hostname) []string {
	var names []string
	for i, host := range hosts {
		name := string(host)
		if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 {
			result.refuse(v1alpha1.ReasonInvalidHost, item("spec.hosts", i),
				"host %q must be a host name in lower case without scheme, port or wildcard, such as hooks.example.com", name)
		}
		names = append(names, name)
	}
	return names
}

// publicURL returns the URL under which a provider reaches the path. Where the
// endpoint accepts certain hosts only, the receiver's own may not be among them.
func publicURL(external string, hosts []string, path string) string {
	base, err := url.Parse(external)
	if external == "" || err != nil {
		return path
	}
	if len(hosts) > 0 && !slices.Contains(hosts, base.Hostname()) {
		port := base.Port()
		base.Host = hosts[0]
		if port != "" {
			base.Host += ":" + port
		}
	}
	return strings.TrimSuffix(base.String(), "/") + path
}
