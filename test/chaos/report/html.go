package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/postern-dev/postern/test/chaos/check"
)

//go:embed report.html.tmpl
var pageText string

var page = template.Must(template.New("report").Parse(pageText))

// leastBand keeps a fault without a length visible.
const leastBand = 1.5

type pageData struct {
	Headline, Title, Mutant, Command string
	Passed                           bool
	Verdicts                         []verdictData
	Figures                          []figureData
	Width, Height                    int
	Seconds                          int
	Bands                            []bandData
	Curves                           []curve
	Stories                          []storyData
}

type verdictData struct {
	Invariant, Word, Title string
	OK, Judged             bool
	Checked                int
	Violations             []violationData
	More                   int
}

type violationData struct{ At, ID, Target, Message string }

type figureData struct{ Name, Value string }

type bandData struct {
	Title    string
	X, Width float64
}

type storyData struct {
	ID    string
	Lines []storyLine
}

type storyLine struct{ At, Actor, Text string }

func html(w io.Writer, result *check.Result, line *timeline, stories []*story) error {
	data := pageData{
		Headline: headline(result), Passed: result.OK(), Mutant: result.Run.Mutant, Command: result.Run.Command,
		Title: fmt.Sprintf("%s, seed %d", result.Run.Scenario, result.Run.Seed),
		Width: chartWidth, Height: chartHeight, Seconds: len(line.seconds), Curves: line.curves(),
	}
	for i := range result.Verdicts {
		data.Verdicts = append(data.Verdicts, verdictOf(&result.Verdicts[i], line.begin))
	}
	for _, figure := range figures(&result.Figures) {
		data.Figures = append(data.Figures, figureData{figure.name, figure.value})
	}
	for _, b := range line.bands {
		x := line.x(b.begin)
		data.Bands = append(data.Bands, bandData{b.title, x, max(line.x(b.end)-x, leastBand)})
	}
	for _, s := range stories {
		told, err := storyOf(s, line.begin)
		if err != nil {
			return err
		}
		data.Stories = append(data.Stories, told)
	}
	return page.Execute(w, data)
}

func verdictOf(verdict *check.Verdict, begin int64) verdictData {
	data := verdictData{
		Invariant: string(verdict.Invariant), Word: word(verdict), Title: verdict.Title,
		OK: verdict.OK(), Judged: verdict.Checked > 0, Checked: verdict.Checked,
		More: verdict.Count - len(verdict.Violations),
	}
	for _, violation := range verdict.Violations {
		at := ""
		if violation.At > 0 {
			at = moment(violation.At - begin)
		}
		data.Violations = append(data.Violations, violationData{at, violation.ID, violation.Target, violation.Message})
	}
	return data
}

// storyOf writes records as they stand in the history, with times from the begin.
func storyOf(s *story, begin int64) (storyData, error) {
	data := storyData{ID: s.id}
	for _, record := range s.records {
		at, actor := moment(record.At-begin), record.Actor
		record.At = 0
		text, err := json.Marshal(record)
		if err != nil {
			return data, err
		}
		data.Lines = append(data.Lines, storyLine{at, actor, string(text[len(`{"t":0,`) : len(text)-1])})
	}
	return data, nil
}

func moment(nanos int64) string {
	return fmt.Sprintf("%+.3f s", time.Duration(nanos).Seconds())
}
