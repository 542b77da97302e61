package events

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/streaming/pkg/httpstream"

	"github.com/postern-dev/postern/controllers/meta"
)

// internalPort is that of every receiver pod.
const internalPort = 8081

// forward opens a local port to a ready pod of the receiver.
func forward(ctx context.Context, config *rest.Config, namespace, receiver string) (string, func(), error) {
	core, err := typedcorev1.NewForConfig(config)
	if err != nil {
		return "", nil, err
	}
	pod, err := readyPod(ctx, core.Pods(namespace), receiver)
	if err != nil {
		return "", nil, err
	}
	address := core.RESTClient().Post().
		Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").
		VersionedParams(&corev1.PodPortForwardOptions{}, scheme.ParameterCodec).URL()
	dialer, err := newDialer(config, address)
	if err != nil {
		return "", nil, err
	}
	return forwardPort(ctx, dialer, pod)
}

// readyPod names a pod that serves; all pods of a receiver share a store.
func readyPod(ctx context.Context, pods typedcorev1.PodInterface, receiver string) (string, error) {
	selector := labels.SelectorFromSet(meta.ReceiverSelector(receiver)).String()
	found, err := pods.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return "", fmt.Errorf("find a receiver pod: %w", err)
	}
	for _, pod := range found.Items {
		for _, condition := range pod.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return pod.Name, nil
			}
		}
	}
	return "", fmt.Errorf("no pod of the receiver %q is ready (%d found with %s)", receiver, len(found.Items), selector)
}

// newDialer speaks WebSocket, and SPDY to API servers that know nothing else.
func newDialer(config *rest.Config, address *url.URL) (httpstream.Dialer, error) {
	websocket, err := portforward.NewSPDYOverWebsocketDialerForStreaming(address, config)
	if err != nil {
		return nil, err
	}
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		return nil, err
	}
	old := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, address)
	return portforward.NewFallbackDialerForStreaming(websocket, old, func(err error) bool {
		return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
	}), nil
}

func forwardPort(ctx context.Context, dialer httpstream.Dialer, pod string) (string, func(), error) {
	ctx, stop := context.WithCancel(ctx)
	ready, ended := make(chan struct{}), make(chan struct{})
	forwarder, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"},
		[]string{fmt.Sprintf("0:%d", internalPort)}, ready, io.Discard, io.Discard)
	if err != nil {
		stop()
		return "", nil, err
	}
	var failure error
	go func() {
		defer close(ended)
		failure = forwarder.ForwardPorts()
	}()
	disconnect := func() {
		stop()
		<-ended // with what error says nothing: nobody needs the connection any more
	}
	select {
	case <-ready:
	case <-ended:
		stop()
		return "", nil, fmt.Errorf("forward a port to pod %s: %w", pod, failure)
	}
	ports, err := forwarder.GetPorts()
	if err != nil {
		disconnect()
		return "", nil, err
	}
	return fmt.Sprintf("http://127.0.0.1:%d", ports[0].Local), disconnect, nil
}
