package world

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/postern-dev/postern/controllers/meta"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/test/freeport"
	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
)

// strangeNamespace is the system namespace of another installation.
const strangeNamespace = "chaos-elsewhere"

// strangeInstallation is one that has no endpoint.
func strangeInstallation() string {
	index := fmt.Sprintf(`{"count":0,"hash":%q,"installation":"elsewhere"}`, route.IndexHash(nil))
	return fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n"+
		"apiVersion: v1\nkind: Secret\ntype: %s\nmetadata: {name: %s, namespace: %s, labels: {%s: %q}}\ndata: {%s: %s}\n",
		strangeNamespace, meta.SecretTypeRouteIndex, meta.RouteIndexName, strangeNamespace, meta.LabelRouteIndex,
		meta.LabelTrue, meta.RouteIndexKey, base64.StdEncoding.EncodeToString([]byte(index)))
}

// Stranger is a receiver of another installation that was given this store.
type Stranger struct {
	*Unit
	internal string
}

// Stranger starts one, and waits until it says whether it is ready.
func (w *World) Stranger(ctx context.Context) (*Stranger, error) {
	if err := w.Cluster.Apply(ctx, strangeInstallation()); err != nil {
		return nil, err
	}
	data, err := w.Cluster.plane.Kubeconfig("chaos-stranger", "system:masters")
	if err != nil {
		return nil, err
	}
	kubeconfig, err := w.Cluster.by(w.Cluster.gate, "stranger", data)
	if err != nil {
		return nil, err
	}
	var ports [2]int
	for i := range ports {
		if ports[i], err = freeport.Find(); err != nil {
			return nil, err
		}
	}
	like := w.Receivers[0]
	arguments := slices.Concat(like.arguments, []string{
		"--namespace=" + strangeNamespace, "--kubeconfig=" + kubeconfig, "--listen=" + address(ports[0]),
		"--internal=" + address(ports[1]), "--snapshot-dir=" + filepath.Join(w.run, "stranger"),
	})
	s := &Stranger{internal: "http://" + address(ports[1])}
	s.Unit = newUnit("stranger", w.options.Folder, w.options.History, func() (local.Command, error) {
		return local.Command{Program: local.Absolute(like.Program()), Args: arguments, Env: like.env}, nil
	}, func(ctx context.Context) error { return answersOK(ctx, s.internal+"/readyz") })
	s.Release()
	err = kube.Until(ctx, "the stranger to say whether it is ready", Patience, func(ctx context.Context) error {
		if s.Ready(ctx) {
			return nil
		}
		text, err := w.text(ctx, s.internal+"/readyz")
		if err == nil && !strings.Contains(text, string(route.CauseStoreOfAnotherInstallation)) {
			err = fmt.Errorf("it says %s", text)
		}
		return err
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the stranger.
func (s *Stranger) Close() { s.close() }

// text reads an answer, whatever its status.
func (w *World) text(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := w.http.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
