// Package routes compiles manifests into routes without a cluster: the same
// compile step as the manager's, with file and line for every problem.
//
// It imports manifests and controllers/compile; it reads no files.
package routes

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/cli/manifests"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/controllers/ranges"
	"github.com/postern-dev/postern/receiver/route"
)

// Options say what is expected of the manifests.
type Options struct {
	// ExternalURL is how providers reach the receiver; empty when nobody knows.
	ExternalURL string
	// RequireSecrets makes a Secret that is not in the files a problem.
	RequireSecrets bool
}

// Result is what became of a set of manifests.
type Result struct {
	// Routes are the compiled endpoints, by namespace and name; complete only
	// without problems.
	Routes []*route.Endpoint
	// URLs are the endpoints' URLs, by UID.
	URLs map[string]string
	// Problems include those of the set.
	Problems []manifests.Problem
	// Notes are about what only a cluster can tell.
	Notes []manifests.Problem
}

// UID is what stands for the identity that the API server would give.
func UID(endpoint types.NamespacedName) string { return endpoint.String() }

// Compile compiles every endpoint of a set.
func Compile(set *manifests.Set, options Options) Result {
	result := Result{
		URLs:     map[string]string{},
		Problems: slices.Clone(set.Problems),
		Notes:    slices.Clone(set.Notes),
	}
	c := compiler{set: set, options: options, result: &result}
	for i := range set.Endpoints {
		set.Endpoints[i].Object.UID = types.UID(UID(set.Endpoints[i].Key()))
		c.all = append(c.all, &set.Endpoints[i].Object)
	}
	for i := range set.Endpoints {
		c.endpoint(&set.Endpoints[i])
	}
	result.Problems = manifests.Sort(result.Problems)
	result.Notes = manifests.Sort(result.Notes)
	slices.SortFunc(result.Routes, func(a, b *route.Endpoint) int { return cmp.Compare(a.UID, b.UID) })
	return result
}

type compiler struct {
	set     *manifests.Set
	options Options
	result  *Result
	all     []*v1alpha1.WebhookEndpoint
}

func (c *compiler) endpoint(endpoint *manifests.Endpoint) {
	compiled := compile.Endpoint(compile.Input{
		Endpoint:       &endpoint.Object,
		ExternalURL:    c.options.ExternalURL,
		Secret:         c.set.Secrets[c.secret(endpoint, endpoint.Object.Spec.SecretRef.Name)],
		SigningSecrets: c.signingSecrets(endpoint),
		Services:       c.services(),
		Grants:         append(slices.Clone(c.set.Grants), c.assumedGrants(endpoint)...),
		Holder:         compile.Holder(&endpoint.Object, c.all),
		Ranges:         localRanges(&endpoint.Object),
		AssumeServices: true,
	})
	for _, problem := range compiled.Problems {
		if problem.Reason == v1alpha1.ReasonSecretNotFound && !c.options.RequireSecrets {
			continue
		}
		c.result.Problems = append(c.result.Problems, endpoint.Problem(problem.Field, oneLine(problem.Message)))
	}
	if compiled.Route != nil {
		c.result.Routes = append(c.result.Routes, compiled.Route)
		c.result.URLs[compiled.Route.UID] = compiled.URL
	}
}

// oneLine keeps a problem on its line, as editors and CI logs want it.
func oneLine(message string) string { return strings.Join(strings.Fields(message), " ") }

func (c *compiler) secret(endpoint *manifests.Endpoint, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: endpoint.Object.Namespace, Name: name}
}

func (c *compiler) signingSecrets(endpoint *manifests.Endpoint) map[string]*corev1.Secret {
	found := map[string]*corev1.Secret{}
	for _, target := range endpoint.Object.Spec.Targets {
		name := target.SigningSecretRef.Name
		if secret := c.set.Secrets[c.secret(endpoint, name)]; secret != nil {
			found[name] = secret
		}
	}
	return found
}

func (c *compiler) services() map[types.NamespacedName]*corev1.Service {
	services := map[types.NamespacedName]*corev1.Service{}
	for i := range c.set.Services {
		service := &c.set.Services[i]
		services[types.NamespacedName{Namespace: service.Namespace, Name: service.Name}] = service
	}
	return services
}

// assumedGrants stands in for the consent of other namespaces: their
// manifests are usually elsewhere. A note says what the cluster will ask for.
func (c *compiler) assumedGrants(endpoint *manifests.Endpoint) []gatewayv1beta1.ReferenceGrant {
	var assumed []gatewayv1beta1.ReferenceGrant
	for i, target := range endpoint.Object.Spec.Targets {
		service := types.NamespacedName{
			Namespace: cmp.Or(target.Service.Namespace, endpoint.Object.Namespace), Name: target.Service.Name,
		}
		if compile.Granted(c.set.Grants, endpoint.Object.Namespace, service) {
			continue
		}
		c.result.Notes = append(c.result.Notes, endpoint.Problem(fmt.Sprintf("spec.targets[%d].service.namespace", i),
			fmt.Sprintf("in a cluster namespace %s must consent with a ReferenceGrant; none is in the files",
				service.Namespace)))
		grant := gatewayv1beta1.ReferenceGrant{Spec: gatewayv1.ReferenceGrantSpec{
			From: []gatewayv1.ReferenceGrantFrom{{
				Group:     gatewayv1.Group(v1alpha1.GroupVersion.Group),
				Kind:      v1alpha1.KindWebhookEndpoint,
				Namespace: gatewayv1.Namespace(endpoint.Object.Namespace),
			}},
			To: []gatewayv1.ReferenceGrantTo{{Kind: "Service"}},
		}}
		grant.Namespace = service.Namespace
		assumed = append(assumed, grant)
	}
	return assumed
}

// localRanges stands in for the lists that a manager would fetch: whoever runs
// without a cluster sends from this machine.
func localRanges(endpoint *v1alpha1.WebhookEndpoint) map[string]compile.Ranges {
	found := map[string]compile.Ranges{}
	lists := ranges.WithURLs(nil)
	for _, provider := range compile.RangeProviders(endpoint) {
		if _, known := lists[provider]; !known {
			found[provider] = compile.Ranges{Unknown: true, Problem: ranges.NoList(provider, lists).Error()}
			continue
		}
		found[provider] = compile.Ranges{Prefixes: []netip.Prefix{
			netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"),
		}}
	}
	return found
}
