package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/receiver/route/routetest"
)

// idle is how long is watched what the API server is asked while nothing changes.
const idle = 10 * time.Second

func (w *world) measure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.patience)
	defer cancel()
	ready, unfollow, err := w.follow(ctx)
	if err != nil {
		return err
	}
	defer unfollow()
	for _, step := range []func(context.Context, *readiness) error{
		w.measureArrival, w.measureIdle, w.measureChanges, w.measureRestarts,
	} {
		if err := step(ctx, ready); err != nil {
			return err
		}
	}
	return nil
}

// measureArrival applies everything at once.
func (w *world) measureArrival(ctx context.Context, ready *readiness) error {
	w.report.line("endpoints", "%d in %d namespaces", w.endpoints, w.namespaces)
	before, err := w.requests(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := w.applyAll(ctx); err != nil {
		return err
	}
	w.report.line("everything applied after", "%v", rounded(time.Since(begun)))
	err = ready.await(ctx, func(generations map[string]int64) bool { return len(generations) == w.endpoints })
	if err != nil {
		return fmt.Errorf("waiting until all endpoints are Ready: %w", err)
	}
	w.report.line("all Ready after", "%v", rounded(time.Since(begun)))
	after, err := w.requests(ctx)
	if err != nil {
		return err
	}
	w.report.line("API requests an endpoint", "%s", after.minus(before).divided(w.endpoints))
	return w.weigh("after all are Ready")
}

// measureIdle finds out what is asked of the API server anyway.
func (w *world) measureIdle(ctx context.Context, _ *readiness) error {
	before, err := w.requests(ctx)
	if err != nil {
		return err
	}
	select {
	case <-time.After(idle):
	case <-ctx.Done():
		return ctx.Err()
	}
	after, err := w.requests(ctx)
	if err != nil {
		return err
	}
	w.report.idle = perSecond(after.minus(before), idle)
	w.report.line("API requests a second when nothing changes", "%.1f", w.report.idle.sum())
	return nil
}

// measureChanges makes one change after the other: edits of a spec and rotated
// secrets, in turn, of endpoints all over the place.
func (w *world) measureChanges(ctx context.Context, ready *readiness) error {
	before, err := w.requests(ctx)
	if err != nil {
		return err
	}
	begun := time.Now()
	var edits, rotations, statuses samples
	for n := range w.changes {
		i := n * (w.endpoints / w.changes) % w.endpoints
		if n%2 == 0 {
			effect, status, err := w.edit(ctx, ready, i, n)
			if err != nil {
				return fmt.Errorf("edit of endpoint %d: %w", i, err)
			}
			edits, statuses = append(edits, effect), append(statuses, status)
			continue
		}
		effect, err := w.rotate(ctx, i, n)
		if err != nil {
			return fmt.Errorf("rotation of endpoint %d: %w", i, err)
		}
		rotations = append(rotations, effect)
	}
	took := time.Since(begun)
	after, err := w.requests(ctx)
	if err != nil {
		return err
	}
	w.report.changes = after.minus(before).less(w.report.idle, took).divided(w.changes)
	w.report.effect = append(append(samples{}, edits...), rotations...)
	w.report.line("an edit has effect after", "%s", edits)
	w.report.line("an edited endpoint is Ready after", "%s", statuses)
	w.report.line("a rotated secret has effect after", "%s", rotations)
	w.report.line("API requests a change", "%.1f: %s", w.report.changes.sum(), w.report.changes)
	return w.weigh("after the changes")
}

// edit changes a spec. It has effect when the receiver has the new route.
func (w *world) edit(ctx context.Context, ready *readiness, i, n int) (effect, status time.Duration, err error) {
	endpoint := w.endpoint(i)
	begun := time.Now()
	patch := fmt.Appendf(nil, `{"spec":{"maxBodyBytes":%d}}`, 4096+n)
	if err := w.admin.Patch(ctx, endpoint, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return 0, 0, err
	}
	for {
		generation, err := w.loaded(ctx, endpoint)
		if err != nil {
			return 0, 0, err
		}
		if generation >= endpoint.Generation {
			break
		}
		if err := pause(ctx); err != nil {
			return 0, 0, err
		}
	}
	effect = time.Since(begun)
	err = ready.await(ctx, func(generations map[string]int64) bool {
		return generations[endpoint.Namespace+"/"+endpoint.Name] >= endpoint.Generation
	})
	return effect, time.Since(begun), err
}

// rotate replaces a secret. It has effect when a request that is signed with
// the new one is accepted.
func (w *world) rotate(ctx context.Context, i, n int) (time.Duration, error) {
	namespace, name := w.place(i)
	key := fmt.Sprintf("rotated by change %d", n)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	patch, err := json.Marshal(map[string]any{"stringData": map[string]string{"secret": key}})
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := w.admin.Patch(ctx, secret, client.RawPatch(types.MergePatchType, patch)); err != nil {
		return 0, err
	}
	for {
		status, err := w.post(ctx, "/"+namespace+"/"+name, key, fmt.Sprint("delivery ", n))
		switch {
		case err != nil:
			return 0, err
		case status == http.StatusOK:
			return time.Since(begun), nil
		case status != http.StatusUnauthorized:
			return 0, fmt.Errorf("the receiver answers %d", status)
		}
		if err := pause(ctx); err != nil {
			return 0, err
		}
	}
}

// loaded is the generation of an endpoint that the receiver serves.
func (w *world) loaded(ctx context.Context, endpoint *v1alpha1.WebhookEndpoint) (int64, error) {
	_, body, err := w.get(ctx, w.Internal+"/routes?uid="+string(endpoint.UID))
	if err != nil {
		return 0, err
	}
	var answer struct {
		Routes []struct {
			Generation int64 `json:"generation"`
		} `json:"routes"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Routes) != 1 {
		return 0, errors.Join(err, errors.New("the receiver does not know the endpoint"))
	}
	return answer.Routes[0].Generation, nil
}

func (w *world) post(ctx context.Context, path, key, id string) (int, error) {
	const body = `{"ref":"refs/heads/main"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.Public+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	routetest.SignGitHub(request.Header, key, id, "push", []byte(body))
	response, err := w.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

func (w *world) get(ctx context.Context, url string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := w.http.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, string(data), err
}

// pause is between two looks; it bounds how exact the figures are.
func pause(ctx context.Context) error {
	select {
	case <-time.After(2 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// measureRestarts starts both processes anew with everything there.
func (w *world) measureRestarts(ctx context.Context, ready *readiness) error {
	begun := time.Now()
	if err := w.RestartReceiver(ctx); err != nil {
		return err
	}
	w.report.line("a restarted receiver is ready after", "%v", rounded(time.Since(begun)))

	before, err := w.requests(ctx)
	if err != nil {
		return err
	}
	begun = time.Now()
	if err := w.RestartManager(); err != nil {
		return err
	}
	if _, _, err := w.edit(ctx, ready, 0, w.changes); err != nil {
		return err
	}
	w.report.line("a change during the manager's restart is Ready after", "%v", rounded(time.Since(begun)))
	after, err := w.requests(ctx)
	if err != nil {
		return err
	}
	w.report.line("API requests until then", "%s", after.minus(before))
	return w.weigh("after restarts")
}
