package confirm_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/controllers/confirm"
)

func TestReplays(t *testing.T) {
	t.Parallel()
	client := confirm.NewClient()
	t.Cleanup(client.Close)
	known, err := client.Replays(t.Context(), serve(t, answering(200,
		`{"replays":[{"uid":"r","matched":3,"replayed":2,"startedAt":"2026-03-06T12:00:00Z","error":"store is away"}]}`)))
	if err != nil || len(known) != 1 || known[0].UID != "r" || known[0].Matched != 3 || known[0].Replayed != 2 ||
		!known[0].StartedAt.Equal(noon) || !known[0].FinishedAt.IsZero() || known[0].Error != "store is away" {
		t.Errorf("got %+v, %v", known, err)
	}
	if _, err := client.Replays(t.Context(), serve(t, answering(404, ""))); err == nil ||
		!strings.Contains(err.Error(), "GET /replays answered 404") {
		t.Errorf("of a receiver that does not know replays: %v", err)
	}
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	client := confirm.NewClient()
	t.Cleanup(client.Close)
	told, err := client.Traffic(t.Context(), serve(t, answering(200,
		`{"endpoints":[{"uid":"a","pending":1,"dead":2,"lastEventAt":"2026-03-06T12:00:00Z","deliveryP99Millis":40},{"uid":"b"}]}`)))
	if err != nil || len(told) != 2 || told[0].Pending != 1 || told[0].Dead != 2 || !told[0].LastEventAt.Equal(noon) ||
		*told[0].DeliveryP99Millis != 40 || told[1] != (confirm.Traffic{UID: "b"}) {
		t.Errorf("got %+v, %v", told, err)
	}
	if _, err := client.Traffic(t.Context(), serve(t, answering(200, "<html>"))); err == nil ||
		!strings.Contains(err.Error(), "GET /traffic answered no JSON") {
		t.Errorf("of something else: %v", err)
	}
}
