package chart_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// Refusals of the schema name the value, those of the chart say what to do.
func TestRefusesWrongValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, set, want string }{
		{"unknown value", "recever.replicas=1", "recever"},
		{"unknown field of the receiver", "receiver.replica=1", "replica"},
		{"deep unknown field", "receiver.store.sidecar.persistence.class=fast", "class"},
		{"wrong type", "receiver.replicas=many", "replicas"},
		{"out of range", "receiver.replicas=101", "replicas"},
		{"no such word", "receiver.store.type=Internal", "type"},
		{"no such level", "manager.logLevel=loud", "logLevel"},
		{"no quantity", "receiver.store.sidecar.maxMemory=lots", "maxMemory"},
		{"digest with a tag in it", "image.digest=v1", "digest"},
		{"namespace that cannot be", "watchNamespaces={Shop}", "watchNamespaces"},
		{"unknown field of affinity", "receiver.podTemplate.affinity.podAffinty.x=1", "podAffinty"},
		{"switch that is a word", "crds.keep=perhaps", "keep"},

		{"several sidecars", "receiver.replicas=2", "needs receiver.store.type=External"},
		{"external without URL", "receiver.store.type=External", "urlSecretRef.name: the Secret"},
		{"URL without external", "receiver.store.external.urlSecretRef.name=store", "receiver.store.type is Sidecar"},
		{"external with sidecar",
			"receiver.store.type=External,receiver.store.external.urlSecretRef.name=a,receiver.store.sidecar.maxMemory=1Gi",
			"receiver.store.sidecar is set"},
		{"EmptyDir with class",
			"receiver.store.sidecar.persistence.type=EmptyDir,receiver.store.sidecar.persistence.storageClassName=fast",
			"EmptyDir has no storage class"},
		{"no time to finish", "receiver.terminationGracePeriodSeconds=5", "must be above receiver.shutdownDelaySeconds"},
		{"node port of a ClusterIP", "receiver.service.nodePort=30080", "need receiver.service.type=NodePort"},
		{"class without load balancer", "receiver.service.loadBalancerClass=x", "receiver.service.type=LoadBalancer"},
		{"certificate for nobody", "certificate.enabled=true", "certificate.dnsNames"},
		{"certificate from nobody", "certificate.enabled=true,certificate.dnsNames={a.example.com}", "issuerRef.name"},
		{"two certificates",
			"certificate.enabled=true,certificate.dnsNames={a.example.com},certificate.issuerRef.name=x,receiver.tls.secretName=y",
			"differs from certificate.secretName"},
		{"Ingress without host", "ingress.enabled=true", "ingress.hosts"},
		{"route without Gateway", "httpRoute.enabled=true", "httpRoute.parentRefs"},
		{"account without name", "serviceAccount.create=false", "serviceAccount.name"},
		{"budget for one", "manager.podDisruptionBudget.enabled=true", "manager.replicas of 2 or more"},
		{"monitor of nothing", "metrics.enabled=false,metrics.serviceMonitor.enabled=true", "metrics.enabled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := run(t, "", "template", "postern", chart, "--set", c.set)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("--set %s: error is %v, want %q in it", c.set, err, c.want)
			}
		})
	}
}

// Every field of the receiver's spec stands in values.yaml, with a default that
// leaves the API's default alone.
func TestEveryFieldOfTheReceiverIsAValue(t *testing.T) {
	t.Parallel()
	var values, schema map[string]any
	read(t, chart+"/values.yaml", &values)
	data, err := os.ReadFile(chart + "/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	properties := schema["properties"].(map[string]any)["receiver"].(map[string]any)["properties"].(map[string]any)
	if len(properties) < 15 {
		t.Fatalf("only %d fields in the schema", len(properties))
	}
	compareFields(t, "receiver", properties, values["receiver"].(map[string]any))
}

func compareFields(t *testing.T, path string, schema, values map[string]any) {
	t.Helper()
	for name, field := range schema {
		value, found := values[name]
		if !found {
			t.Errorf("values.yaml lacks %s.%s", path, name)
			continue
		}
		inner, _ := field.(map[string]any)["properties"].(map[string]any)
		if name == "affinity" || name == "resources" || inner == nil {
			continue
		}
		within, isMap := value.(map[string]any)
		if !isMap {
			t.Errorf("values.yaml: %s.%s is %v, want its fields", path, name, value)
			continue
		}
		compareFields(t, path+"."+name, inner, within)
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
