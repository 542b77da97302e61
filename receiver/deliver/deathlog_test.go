package deliver_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postern-dev/postern/receiver/deliver"
)

// A backlog that dies makes no flood of lines, and the next line tells how many
// were left out.
func TestDeathsAreSampled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := endpoint("ci", "a")
		w := newWorld(t, func(o *deliver.Options) { o.Logger = slog.New(slog.NewJSONHandler(&log, nil)) }, e)
		w.targets.reply(http.StatusGone)
		first, _ := w.admit(e)
		synctest.Wait()
		for range 49 {
			w.admit(e)
		}
		synctest.Wait()
		pass(time.Second)
		last, _ := w.admit(e)
		synctest.Wait()

		type line struct {
			Msg, Reason, Endpoint, Target, Event string
			Suppressed                           int
		}
		var deaths []line
		for text := range strings.Lines(log.String()) {
			var one line
			if err := json.Unmarshal([]byte(text), &one); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if one.Msg == "Event became a dead letter" {
				deaths = append(deaths, one)
			}
		}
		if len(deaths) != 2 {
			t.Fatalf("%d lines for 51 deaths, want two:\n%s", len(deaths), log.String())
		}
		want := line{Msg: deaths[0].Msg, Reason: w.seen.reports[0].Reason, Endpoint: "ci/" + e.Name, Target: "a", Event: first.ID}
		if deaths[0] != want {
			t.Errorf("the first line is %+v, want %+v", deaths[0], want)
		}
		if want.Event, want.Suppressed = last.ID, 49; deaths[1] != want {
			t.Errorf("the second line is %+v, want %+v", deaths[1], want)
		}
	})
}
