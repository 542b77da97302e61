package confirm

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/controllers/meta"
)

// Source lists the receivers that are ready, in a fixed order.
type Source func(ctx context.Context) ([]Receiver, error)

// Pods lists the ready receiver pods of the namespace.
func Pods(reader client.Reader, namespace string, port int) Source {
	return func(ctx context.Context) ([]Receiver, error) {
		var pods corev1.PodList
		err := reader.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels(meta.AllReceiversSelector()))
		if err != nil {
			return nil, fmt.Errorf("list receiver pods in %s: %w", namespace, err)
		}
		var receivers []Receiver
		for i := range pods.Items {
			if PodReady(&pods.Items[i]) {
				receivers = append(receivers, FromPod(&pods.Items[i], port))
			}
		}
		slices.SortFunc(receivers, func(a, b Receiver) int { return cmp.Compare(a.Name, b.Name) })
		return receivers, nil
	}
}

// URLs lists those of the given receivers that say that they are ready, for a
// manager that runs outside the cluster and has no way to the pods' addresses.
func URLs(c *Client, urls []string) Source {
	return func(ctx context.Context) ([]Receiver, error) {
		var receivers []Receiver
		for _, address := range urls {
			receiver := Receiver{Name: address, URL: address}
			if c.Ready(ctx, receiver) == nil {
				receivers = append(receivers, receiver)
			}
		}
		return receivers, nil
	}
}

// FromPod returns the receiver that runs in the pod.
func FromPod(pod *corev1.Pod, port int) Receiver {
	return Receiver{
		Name: "pod " + pod.Name,
		URL:  "http://" + net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(port)),
	}
}

// PodReady says whether Services send traffic to the pod.
func PodReady(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil || pod.Status.PodIP == "" {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}
