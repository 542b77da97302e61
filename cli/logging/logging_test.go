package logging_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cli/logging"
)

func TestNew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options logging.Options
		want    string
		fails   string
	}{
		"defaults":       {logging.Options{}, `"msg":"told"`, ""},
		"text":           {logging.Options{Format: "text"}, "msg=told", ""},
		"level":          {logging.Options{Level: "error"}, "", ""},
		"unknown level":  {logging.Options{Level: "loud"}, "", "--log-level"},
		"level with sum": {logging.Options{Level: "info+1"}, "", "--log-level"},
		"unknown format": {logging.Options{Format: "xml"}, "", "--log-format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger, err := logging.New(&out, c.options)
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Fatalf("got %v, want an error that names %s", err, c.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			logger.Info("told")
			if got := out.String(); !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("logged %q, want %q", got, c.want)
			}
		})
	}
}
