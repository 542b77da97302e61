package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/receiver/queue"
)

var columns = []string{"RECEIVED", "ENDPOINT", "TYPE", "ID", "STATUS", "TARGETS"}

func writeList(out io.Writer, format output.Format, found []listed) error {
	if format == output.JSON {
		return output.WriteJSON(out, found)
	}
	if len(found) == 0 {
		_, err := fmt.Fprintln(out, "No events.")
		return err
	}
	rows := make([][]string, len(found))
	for i, event := range found {
		rows[i] = row(event)
	}
	return output.WriteTable(out, columns, rows)
}

func row(event listed) []string {
	return []string{
		event.ReceivedAt.UTC().Format(time.RFC3339), event.Endpoint, orDefault(event.Type, "-"), event.ID,
		string(event.Status), targets(event.Targets),
	}
}

// targets tells on one line where the event stands at each target.
func targets(states []queue.TargetState) string {
	var texts []string
	for _, state := range states {
		text := fmt.Sprintf("%s %s", state.Target, state.Status)
		if state.Attempts > 1 || state.Status != queue.StatusDelivered {
			text += fmt.Sprintf(" (%d tried)", state.Attempts)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

func writeReplayed(out io.Writer, format output.Format, count int, noun string) error {
	if format == output.JSON {
		return output.WriteJSON(out, replayed{Replayed: count})
	}
	_, err := fmt.Fprintf(out, "Replayed to %s.\n", plural(count, noun))
	return err
}

func writeRecord(out io.Writer, format output.Format, endpoint string, record *queue.Record) error {
	if format == output.JSON {
		return output.WriteJSON(out, record)
	}
	var text strings.Builder
	for _, fact := range [][2]string{
		{"ID", record.ID},
		{"Endpoint", endpoint},
		{"Source", record.Source},
		{"Type", record.Type},
		{"Delivery id", record.DeliveryID},
		{"Received", record.ReceivedAt.UTC().Format(time.RFC3339Nano)},
		{"Verified", fmt.Sprint(record.Verified)},
		{"Status", string(record.Status)},
	} {
		if fact[1] != "" {
			fmt.Fprintf(&text, "%-13s%s\n", fact[0]+":", fact[1])
		}
	}
	for _, state := range record.Targets {
		writeTarget(&text, state)
	}
	writeRequest(&text, record)
	_, err := io.WriteString(out, text.String())
	return err
}

func writeTarget(text *strings.Builder, state queue.TargetState) {
	fmt.Fprintf(text, "\nTarget %s: %s, %d tried", state.Target, state.Status, state.Attempts)
	if state.Reason != "" {
		fmt.Fprintf(text, ", %s", state.Reason)
	}
	text.WriteString("\n")
	for _, attempt := range state.Log {
		answer := attempt.Error
		if attempt.Status != 0 {
			answer = strings.TrimSpace(fmt.Sprintf("%d %s", attempt.Status, attempt.Error))
		}
		at, took := attempt.At.UTC().Format(time.RFC3339), attempt.Latency.Round(time.Millisecond)
		fmt.Fprintf(text, "  %s  %s in %s", at, answer, took)
		if attempt.Excerpt != "" {
			fmt.Fprintf(text, "  %q", attempt.Excerpt)
		}
		text.WriteString("\n")
	}
}

func writeRequest(text *strings.Builder, record *queue.Record) {
	event := record.Event
	if event == nil {
		return
	}
	fmt.Fprintf(text, "\n%s", event.Method)
	if event.RawQuery != "" {
		fmt.Fprintf(text, " ?%s", event.RawQuery)
	}
	text.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(event.Header)) {
		for _, value := range event.Header[name] {
			fmt.Fprintf(text, "%s: %s\n", name, value)
		}
	}
	if record.BodyGone {
		fmt.Fprintf(text, "\n(The body of %d bytes is no longer kept.)\n", record.BodyBytes)
		return
	}
	text.WriteString("\n" + readable(event.Body) + "\n")
}

// readable indents JSON and spares terminals what is no text. The bytes as
// they are come with -o json.
func readable(body []byte) string {
	var indented bytes.Buffer
	if json.Indent(&indented, body, "", "  ") == nil {
		return indented.String()
	}
	if !utf8.Valid(body) {
		return fmt.Sprintf("(%d bytes that are no text; -o json has them in base64)", len(body))
	}
	return string(body)
}
