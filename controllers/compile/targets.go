package compile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route"
)

// compileTargets sets where events go. A target that cannot be reached yet
// stays, so that events queue for it; one that may not be reached gets nothing.
func compileTargets(result *Result, r *route.Endpoint, in Input, spec v1alpha1.WebhookEndpointSpec) {
	if len(spec.Targets) == 0 {
		result.refuse(v1alpha1.ReasonInvalidSpec, "spec.targets", "at least one target must be set")
	}
	taken := map[string]bool{}
	for i, target := range spec.Targets {
		field := item("spec.targets", i)
		if taken[target.Name] {
			result.refuse(v1alpha1.ReasonInvalidSpec, field,
				"target name %q is taken; a target without name is named after its Service: give the others a name", target.Name)
		}
		taken[target.Name] = true
		if compiled, permitted := compileTarget(result, in, field, target); permitted {
			r.Targets = append(r.Targets, compiled)
		}
	}
	if len(r.Targets) == 0 && r.Unavailable == nil {
		r.Unavailable = &route.Unavailable{Reason: route.ReasonNoTarget, Message: "no target is permitted"}
	}
}

func compileTarget(result *Result, in Input, field string, target v1alpha1.Target) (route.Target, bool) {
	name := types.NamespacedName{
		Namespace: cmp.Or(target.Service.Namespace, in.Endpoint.Namespace),
		Name:      target.Service.Name,
	}
	compiled := route.Target{
		Name:           target.Name,
		Namespace:      name.Namespace,
		Service:        name.Name,
		Path:           target.Path,
		WhenExpression: compileCondition(result, field+".when", target.When),
		Format:         route.Format(target.Format),
		TimeoutSeconds: int64(target.TimeoutSeconds),
		MaxInFlight:    int(target.MaxInFlight),
	}
	for _, glob := range target.EventTypes {
		compiled.EventTypes = append(compiled.EventTypes, string(glob))
	}
	checkTargetPath(result, field, target.Path)
	if !permitted(result, in, field, name) {
		return compiled, false
	}
	compileService(result, &compiled, in, field, target.Service.Port)
	compileSigningKey(result, &compiled, in, field, target.SigningSecretRef)
	return compiled, true
}

// checkTargetPath keeps a target's path from reaching another one than it says.
func checkTargetPath(result *Result, field, path string) {
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#\\ \r\n") || slices.ContainsFunc(
		strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." }) {
		result.refuse(v1alpha1.ReasonInvalidPath, field+".path",
			"path %q must start with a slash and have no query, fragment or segments . and ..", path)
	}
}

// permitted says whether the Service may get events at all. Before consent
// nothing is said about the Service, not even whether it exists.
func permitted(result *Result, in Input, field string, service types.NamespacedName) bool {
	field += ".service"
	if slices.Contains(in.Unserved, service.Namespace) {
		result.report(v1alpha1.ConditionTargetsResolved, v1alpha1.ReasonNamespaceNotServed, field,
			"namespace %s is not among those that this installation serves: have it added to `watchNamespaces`, "+
				"or deliver to a Service of this namespace", service.Namespace)
		return false
	}
	if !Granted(in.Grants, in.Endpoint.Namespace, service) {
		result.report(v1alpha1.ConditionTargetsResolved, v1alpha1.ReasonNotPermitted, field,
			"namespace %s has not consented: it needs a ReferenceGrant from kind %s (group %s) of namespace %s "+
				"to kind Service%s",
			service.Namespace, v1alpha1.KindWebhookEndpoint, v1alpha1.GroupVersion.Group, in.Endpoint.Namespace, noGrantKind(in))
		return false
	}
	reason, message := forbidden(service, in.Services[service])
	if reason == "" {
		return true
	}
	result.report(v1alpha1.ConditionTargetsResolved, reason, field, "%s", message)
	return false
}

// noGrantKind says what consent needs first.
func noGrantKind(in Input) string {
	if in.NoGrantKind {
		return "; the cluster does not know this kind: install its CRD from the Gateway API"
	}
	return ""
}

// compileService resolves the port. The Service that is missing may yet come.
func compileService(result *Result, t *route.Target, in Input, field string, port portReference) {
	name := types.NamespacedName{Namespace: t.Namespace, Name: t.Service}
	service := in.Services[name]
	if service == nil && in.AssumeServices {
		t.Port = assumedPort(port)
		return
	}
	reason := v1alpha1.ReasonServiceNotFound
	message := fmt.Sprintf("there is no Service %s: %s until it exists", name, meanwhile(in))
	if service != nil {
		reason = v1alpha1.ReasonPortNotFound
		t.Port, message = resolvePort(service, port, meanwhile(in))
	}
	if message == "" {
		return
	}
	result.report(v1alpha1.ConditionTargetsResolved, reason, field+".service", "%s", message)
	t.Unavailable = &route.Unavailable{Reason: unavailableReasons[reason], Message: message}
}

// meanwhile says what becomes of requests whose target cannot be reached.
func meanwhile(in Input) string {
	if in.Endpoint.Spec.Delivery == v1alpha1.DeliveryDirect {
		return "requests are answered 503"
	}
	return "events queue"
}

var unavailableReasons = map[string]string{
	v1alpha1.ReasonServiceNotFound: route.ReasonServiceNotFound,
	v1alpha1.ReasonPortNotFound:    route.ReasonPortNotFound,
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
