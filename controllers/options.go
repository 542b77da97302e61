package controllers

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/controllers/provision"
	"github.com/postern-dev/postern/controllers/resources"
)

// Options are what the manager's flags say to the controllers.
type Options struct {
	// Namespace is the system namespace; empty means postern-system.
	Namespace string
	// WatchNamespaces are the tenants' namespaces that are served; empty means all.
	WatchNamespaces []string
	// Image is the receiver's image for WebhookReceivers that name none.
	Image string
	// ReceiverURLs are the internal addresses of receivers to ask about routes,
	// such as http://127.0.0.1:8081, for a manager that cannot reach pods; empty
	// means the ready pods.
	ReceiverURLs []string
	// ReceiverPort is the internal port of receiver pods; 0 means 8081.
	ReceiverPort int
	// DefaultReceiver is a WebhookReceiver, as JSON or YAML, to apply at the start;
	// empty means none.
	DefaultReceiver string
	// DefaultReceiverOwner is the ServiceAccount with which the default receiver is
	// removed, and what the manager writes for itself; empty means that they stay.
	DefaultReceiverOwner string
	// AddressRangeURLs are other addresses of providers' lists of address ranges,
	// by provider; also of providers that have no built-in list.
	AddressRangeURLs map[string]string
	// ClusterDomain is the domain of Service names; empty leaves it to the receiver.
	ClusterDomain string
}

// Validate reports everything that is wrong, each error naming the flag.
func (o Options) Validate() error {
	var errs []error
	for _, namespace := range append([]string{o.Namespace}, o.WatchNamespaces...) {
		if problems := validation.IsDNS1123Label(namespace); namespace != "" && len(problems) > 0 {
			errs = append(errs, fmt.Errorf("--namespace, --watch-namespaces: %q is not a namespace: %s",
				namespace, problems[0]))
		}
	}
	for _, address := range o.ReceiverURLs {
		if !isURL(address) {
			errs = append(errs, fmt.Errorf("--receiver-url: %q is not a URL such as http://127.0.0.1:8081", address))
		}
	}
	for provider, address := range o.AddressRangeURLs {
		if !isURL(address) {
			errs = append(errs, fmt.Errorf("--address-range-url: %s=%q must end in a URL such as https://example.com/ranges.json",
				provider, address))
		}
	}
	if o.ReceiverPort < 0 || o.ReceiverPort > 65535 {
		errs = append(errs, fmt.Errorf("receiver port %d is not between 1 and 65535", o.ReceiverPort))
	}
	if _, err := o.defaultReceiver(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// defaultReceiver is nil when there is none.
func (o Options) defaultReceiver() (*unstructured.Unstructured, error) {
	if o.DefaultReceiver == "" {
		return nil, nil
	}
	receiver, err := provision.Parse(o.DefaultReceiver, cmp.Or(o.Namespace, meta.DefaultNamespace))
	if err != nil {
		return nil, fmt.Errorf("--default-receiver: %w", err)
	}
	return receiver, nil
}

func isURL(address string) bool {
	parsed, err := url.Parse(address)
	return err == nil && parsed.Host != "" && (parsed.Scheme == "http" || parsed.Scheme == "https")
}

func (o Options) withDefaults() Options {
	o.Namespace = cmp.Or(o.Namespace, meta.DefaultNamespace)
	o.ReceiverPort = cmp.Or(o.ReceiverPort, resources.PortInternal)
	urls := make([]string, len(o.ReceiverURLs))
	for i, address := range o.ReceiverURLs {
		urls[i] = strings.TrimSuffix(address, "/")
	}
	o.ReceiverURLs = urls
	return o
}

func (o Options) owner(reader client.Reader) apply.Owner {
	return apply.Owner{Reader: reader, Namespace: o.Namespace, Account: o.DefaultReceiverOwner}
}

func (o Options) receivers(mgr ctrl.Manager, asking *confirm.Client) confirm.Source {
	if len(o.ReceiverURLs) > 0 {
		return confirm.URLs(asking, o.ReceiverURLs)
	}
	return confirm.Pods(mgr.GetClient(), o.Namespace, o.ReceiverPort)
}
