package crd_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/postern-dev/postern/api/v1alpha1"
)

const external = `type: External, external: {urlSecretRef: {name: redis}}`

func TestReceiverRefusals(t *testing.T) {
	t.Parallel()
	refusals{
		`replicas: 2`:                                         "several pods with a store of their own each would not recognise each other's duplicates",
		`{replicas: 2, store: {type: Sidecar}}`:               "`replicas` above 1 needs `store.type: External`",
		`{replicas: 101, store: {` + external + `}}`:          "should be less than or equal to 100",
		`store: {type: Disk}`:                                 `supported values: "Sidecar", "External"`,
		`store: {type: External}`:                             "`type: External` needs `external.urlSecretRef`",
		`store: {external: {urlSecretRef: {name: redis}}}`:    "`external` needs `type: External`",
		`store: {` + external + `, sidecar: {image: valkey}}`: "`sidecar` may not be set with `type: External`",
		`store: {type: External, external: {}}`:               "urlSecretRef: Required value",
		`store: {type: External, external: {urlSecretRef: {name: "redis://redis:6379"}}}`: "not the URL itself",
		`store: {sidecar: {}}`:                                                            "should have at least 1 properties",
		`store: {sidecar: {persistence: {type: HostPath}}}`:                               `supported values: "PVC", "EmptyDir"`,
		`store: {sidecar: {persistence: {type: EmptyDir, storageClassName: fast}}}`:       "may not be set with `type: EmptyDir`",
		`store: {sidecar: {persistence: {type: EmptyDir, accessModes: [ReadWriteOnce]}}}`: "may not be set with `type: EmptyDir`",
		`store: {sidecar: {persistence: {size: 1Mi}}}`:                                    "must be at least 64Mi",
		`store: {sidecar: {maxMemory: 1Mi}}`:                                              "must be at least 16Mi",
		`trustedProxies: [10.1.2.3/8]`:                                                    "must start at the first address of its range",
		`trustedProxies: [proxy.example]`:                                                 "must be a CIDR",
		`externalURL: hooks.example.com`:                                                  "must be the public URL without slash at the end",
		`externalURL: "https://hooks.example.com/"`:                                       "must be the public URL without slash at the end",
		`externalURL: "https://hooks.example.com?a=b"`:                                    "must be the public URL",
		`externalURL: "https://u:p@hooks.example.com"`:                                    "must be the public URL",
		`externalURL: "ftp://hooks.example.com"`:                                          "must be the public URL",
		`terminationGracePeriodSeconds: 5`:                                                "must be above `shutdownDelaySeconds` (default 5)",
		`{shutdownDelaySeconds: 90}`:                                                      "must be above `shutdownDelaySeconds`",
		`tls: {}`:                                                                         "tls.secretName: Required value",
		`tls: {secretName: Not_A_Name}`:                                                   "must be the name of a kubernetes.io/tls Secret",
		`service: {type: ExternalName}`:                                                   `supported values: "ClusterIP", "NodePort", "LoadBalancer"`,
		`service: {nodePort: 30080}`:                                                      "`nodePort` needs `type: NodePort` or `LoadBalancer`",
		`service: {externalTrafficPolicy: Local}`:                                         "`externalTrafficPolicy` needs `type: NodePort`",
		`service: {type: NodePort, loadBalancerClass: a/b}`:                               "`loadBalancerClass` needs `type: LoadBalancer`",
		`logLevel: Trace`:                                                                 `supported values: "Debug", "Info", "Warn", "Error"`,
		`imagePullPolicy: Sometimes`:                                                      `supported values: "Always", "IfNotPresent", "Never"`,
	}.run(t, v1alpha1.KindWebhookReceiver, ``)
}

func TestReceiverAcceptance(t *testing.T) {
	t.Parallel()
	acceptAll(t, v1alpha1.KindWebhookReceiver, ``, []string{
		``,
		`replicas: 0`,
		`{replicas: 3, store: {` + external + `}}`,
		`store: {sidecar: {persistence: {type: EmptyDir, size: 1Gi}, maxMemory: 512Mi}}`,
		`store: {sidecar: {persistence: {storageClassName: "", accessModes: [ReadWriteOncePod]}}}`,
		`store: {allowWeakDurability: true}`,
		`externalURL: "https://hooks.example.com:8443/in"`,
		`externalURL: "http://[2001:db8::1]:8080"`,
		`{shutdownDelaySeconds: 0, terminationGracePeriodSeconds: 1}`,
		`service: {type: LoadBalancer, port: 443, externalTrafficPolicy: Local, loadBalancerClass: a/b, nodePort: 30443}`,
		`podTemplate: {nodeSelector: {a: b}, tolerations: [{operator: Exists}], priorityClassName: high}`,
	})
}

func TestReceiverDefaults(t *testing.T) {
	t.Parallel()
	o := object(t, v1alpha1.KindWebhookReceiver, ``, ``)
	delete(o.Object, "spec")
	if err := create(t, o); err != nil {
		t.Fatal(err)
	}
	var got v1alpha1.WebhookReceiver
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, &got); err != nil {
		t.Fatal(err)
	}
	spec := got.Spec
	if *spec.Replicas != 1 || spec.Store.Type != v1alpha1.StoreTypeSidecar || *spec.ShutdownDelaySeconds != 5 ||
		spec.TerminationGracePeriodSeconds != 60 || spec.Service.Type != v1alpha1.ServiceTypeClusterIP ||
		spec.Service.Port != 80 || spec.LogLevel != v1alpha1.LogLevelInfo {
		t.Errorf("got %+v", spec)
	}
}
