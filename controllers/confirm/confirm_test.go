package confirm_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/receiver/route"
)

var noon = time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC)

func serve(t *testing.T, handler http.HandlerFunc) confirm.Receiver {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return confirm.Receiver{Name: "pod one", URL: server.URL}
}

func answering(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	const loaded = `{"count":2,"routes":[{"uid":"x","hash":"no"},{"uid":"u 1","hash":"h","generation":3}]}`
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		want    *confirm.Loaded
		err     string
	}{
		"loaded": {handler: answering(200, loaded), want: &confirm.Loaded{UID: "u 1", Hash: "h", Generation: 3}},
		"rejected": {
			handler: answering(200, `{"routes":[{"uid":"u 1","hash":"","error":"too new"}]}`),
			want:    &confirm.Loaded{UID: "u 1", Error: "too new"},
		},
		"with used keys": {
			handler: answering(200, `{"routes":[{"uid":"u 1","hash":"h","keysUsed":{"old":"2026-03-06T12:00:00Z"}}]}`),
			want:    &confirm.Loaded{UID: "u 1", Hash: "h", KeysUsed: map[string]time.Time{"old": noon}},
		},
		"not loaded":     {handler: answering(200, `{"count":0,"routes":[]}`)},
		"another's only": {handler: answering(200, `{"routes":[{"uid":"x","hash":"h"}]}`)},
		"failing":        {handler: answering(500, "oops"), err: "GET /routes answered 500"},
		"no JSON":        {handler: answering(200, "<html>"), err: "no JSON"},
		"redirecting": {
			handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
			err:     "answered 302",
		},
		"endless": {handler: answering(200, strings.Repeat(" ", 17<<20)+loaded), err: "no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := make(chan string, 1)
			receiver := serve(t, func(w http.ResponseWriter, r *http.Request) {
				select {
				case asked <- r.URL.Path + "?" + r.URL.RawQuery:
				default:
				}
				test.handler(w, r)
			})
			client := confirm.NewClient()
			t.Cleanup(client.Close)
			got, err := client.Route(t.Context(), receiver, "u 1")
			if query := <-asked; query != "/routes?uid=u+1" {
				t.Errorf("asked for %s", query)
			}
			switch {
			case err == nil && test.err != "", err != nil && (test.err == "" || !strings.Contains(err.Error(), test.err)):
				t.Errorf("error is %v, want %q", err, test.err)
			case (got == nil) != (test.want == nil) || got != nil && !reflect.DeepEqual(got, test.want):
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	client := confirm.NewClient()
	t.Cleanup(client.Close)
	if err := client.Ready(t.Context(), serve(t, answering(200, "ok"))); err != nil {
		t.Errorf("a ready receiver is not: %v", err)
	}
	err := client.Ready(t.Context(), serve(t, answering(503, "store:\n  LOADING\n")))
	if err == nil || err.Error() != "store: LOADING" {
		t.Errorf("the reason is %v, want it in one line", err)
	}
	err = client.Ready(t.Context(), serve(t, answering(503, strings.Repeat("é", 1000))))
	if err == nil || len(err.Error()) > 310 {
		t.Errorf("the reason is %v, want a short one", err)
	}
	err = client.Ready(t.Context(), serve(t, answering(503, "")))
	if err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("without a reason it is %v, want the status", err)
	}
	if err := client.Ready(t.Context(), confirm.Receiver{URL: "http://127.0.0.1:1"}); err == nil {
		t.Error("a receiver that does not listen is ready")
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	client := confirm.NewClient()
	t.Cleanup(client.Close)
	for name, test := range map[string]struct {
		status int
		body   string
		want   route.Health
	}{
		"ready": {200, `{"status":"ready"}`, route.Health{Status: "ready"}},
		"full": {
			200, `{"status":"ready","causes":["StoreFull"],"reasons":["store: 81 %"]}`,
			route.Health{Status: "ready", Causes: []string{"StoreFull"}, Reasons: []string{"store: 81 %"}},
		},
		"not ready": {
			503, `{"status":"not ready","causes":["StoreUnavailable"],"reasons":["store:\n away"]}`,
			route.Health{Causes: []string{"StoreUnavailable"}, Reasons: []string{"store: away"}},
		},
		"somebody else's": {503, "no healthy upstream", route.Health{Reasons: []string{"no healthy upstream"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := client.Health(t.Context(), serve(t, answering(test.status, test.body)))
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	client := confirm.NewClient()
	t.Cleanup(client.Close)
	ready, unready := serve(t, answering(200, "")), serve(t, answering(503, "no"))
	receivers, err := confirm.URLs(client, []string{unready.URL, ready.URL})(t.Context())
	if err != nil || len(receivers) != 1 || receivers[0].URL != ready.URL {
		t.Errorf("got %v, %v, want the ready one", receivers, err)
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	answers := map[string]struct {
		loaded *confirm.Loaded
		err    error
	}{
		"good":    {loaded: &confirm.Loaded{Hash: "h"}},
		"old":     {loaded: &confirm.Loaded{Hash: "g"}},
		"absent":  {},
		"refuses": {loaded: &confirm.Loaded{Hash: "h", Error: "too new"}},
		"down":    {err: errors.New("connection refused")},
	}
	ask := func(_ context.Context, receiver confirm.Receiver, _ string) (*confirm.Loaded, error) {
		return answers[receiver.Name].loaded, answers[receiver.Name].err
	}
	for name, test := range map[string]struct {
		receivers string
		confirmed bool
		serving   int
		rejected  string
		pending   string
	}{
		"nobody":  {},
		"all":     {receivers: "good,good", confirmed: true, serving: 2},
		"old":     {receivers: "good,old", serving: 1, pending: "old still serves the one before"},
		"absent":  {receivers: "absent,good", serving: 1, pending: "absent has not loaded it"},
		"down":    {receivers: "down", pending: "down does not answer: connection refused"},
		"refuses": {receivers: "refuses,good", serving: 1, rejected: "refuses: too new"},
		"many":    {receivers: "old,old,old,old,old", pending: "and 2 more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var receivers []confirm.Receiver
			for _, receiver := range strings.FieldsFunc(test.receivers, func(r rune) bool { return r == ',' }) {
				receivers = append(receivers, confirm.Receiver{Name: receiver})
			}
			verdict := confirm.All(t.Context(), ask, receivers, "u", "h")
			if verdict.Confirmed() != test.confirmed || verdict.Serving != test.serving ||
				verdict.Rejected != test.rejected || !strings.Contains(verdict.Pending, test.pending) ||
				(verdict.Pending == "") != (test.pending == "") {
				t.Errorf("the verdict is %+v, want %+v", verdict, test)
			}
		})
	}
}

func TestPodReady(t *testing.T) {
	t.Parallel()
	pod := func(ip string, status corev1.ConditionStatus) *corev1.Pod {
		return &corev1.Pod{Status: corev1.PodStatus{PodIP: ip, Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: status},
		}}}
	}
	leaving := pod("10.0.0.1", corev1.ConditionTrue)
	leaving.DeletionTimestamp = &metav1.Time{}
	for name, test := range map[string]struct {
		pod  *corev1.Pod
		want bool
	}{
		"ready":      {pod("10.0.0.1", corev1.ConditionTrue), true},
		"not ready":  {pod("10.0.0.1", corev1.ConditionFalse), false},
		"no address": {pod("", corev1.ConditionTrue), false},
		"leaving":    {leaving, false},
		"new":        {&corev1.Pod{Status: corev1.PodStatus{PodIP: "10.0.0.1"}}, false},
	} {
		if got := confirm.PodReady(test.pod); got != test.want {
			t.Errorf("%s: ready is %v, want %v", name, got, test.want)
		}
	}
	if got := confirm.FromPod(pod("2001:db8::1", corev1.ConditionTrue), 8081).URL; got != "http://[2001:db8::1]:8081" {
		t.Errorf("an IPv6 pod is at %s", got)
	}
}

// TestAllTellsWhenKeysWereLastUsed: any receiver's word counts, the latest wins.
func TestAllTellsWhenKeysWereLastUsed(t *testing.T) {
	t.Parallel()
	used := map[string]map[string]time.Time{
		"one": {"old": noon, "new": noon.Add(time.Hour)},
		"two": {"old": noon.Add(time.Minute)},
	}
	ask := func(_ context.Context, receiver confirm.Receiver, _ string) (*confirm.Loaded, error) {
		return &confirm.Loaded{Hash: "h", KeysUsed: used[receiver.Name]}, nil
	}
	verdict := confirm.All(t.Context(), ask, []confirm.Receiver{{Name: "one"}, {Name: "two"}, {Name: "three"}}, "u", "h")
	want := map[string]time.Time{"old": noon.Add(time.Minute), "new": noon.Add(time.Hour)}
	if !reflect.DeepEqual(verdict.KeysUsed, want) {
		t.Errorf("keys were used %v, want %v", verdict.KeysUsed, want)
	}
}
