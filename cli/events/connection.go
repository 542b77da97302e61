package events

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/postern-dev/postern/cli/input"
)

// connection are the flags that say which receiver is asked.
type connection struct {
	internalURL string
	namespace   string

	kubeconfig      string
	context         string
	systemNamespace string
	receiver        string
}

func (c *connection) bind(flags *pflag.FlagSet) {
	flags.StringVar(&c.internalURL, "internal-url", "",
		"`URL` of a receiver's internal listener (default a port-forward to a receiver pod)")
	flags.StringVarP(&c.namespace, "namespace", "n", "", "`NAMESPACE` of endpoints that name none (default the context's)")
	flags.StringVar(&c.kubeconfig, "kubeconfig", "",
		"kubeconfig `FILE` for the port-forward (default $KUBECONFIG or ~/.kube/config)")
	flags.StringVar(&c.context, "context", "", "kubeconfig `CONTEXT` for the port-forward (default the current one)")
	flags.StringVar(&c.systemNamespace, "system-namespace", "postern-system", "`NAMESPACE` of the receiver's pods")
	flags.StringVar(&c.receiver, "receiver", "default", "`NAME` of the WebhookReceiver")
}

// open returns the URL of the internal listener, the namespace for endpoints
// that name none, and what closes the connection.
func (c *connection) open(ctx context.Context) (address, namespace string, disconnect func(), err error) {
	if c.internalURL != "" {
		if _, err := input.URL("internal-url", c.internalURL); err != nil {
			return "", "", nil, err
		}
		return c.internalURL, orDefault(c.namespace, "default"), func() {}, nil
	}
	config, current, err := c.cluster()
	if err != nil {
		return "", "", nil, err
	}
	address, disconnect, err = forward(ctx, config, c.systemNamespace, c.receiver)
	if err != nil {
		return "", "", nil, fmt.Errorf("%w; a receiver elsewhere is named with --internal-url", err)
	}
	return address, orDefault(c.namespace, current), disconnect, nil
}

func (c *connection) cluster() (*rest.Config, string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = c.kubeconfig
	loaded := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules,
		&clientcmd.ConfigOverrides{CurrentContext: c.context})
	config, err := loaded.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("kubeconfig: %w; or name a receiver with --internal-url", err)
	}
	namespace, _, err := loaded.Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("kubeconfig: %w", err)
	}
	return config, namespace, nil
}

func orDefault(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
