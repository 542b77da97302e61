package dashboards_test

import (
	"fmt"
	"html"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Sizes in pixels: one of Grafana's 24 columns and one of its rows.
const (
	column, row = 42, 26
	header      = 40
	// legends is how many series a panel names.
	legends = 6
)

var colours = []string{"#3274d9", "#37872d", "#e0752d", "#c4162a", "#8f3bb8", "#0f8a8a", "#b8860b", "#5c6670"}

// plot is a panel with what it showed.
type plot struct {
	panel
	series []line
}

type line struct {
	name   string
	at     []float64
	values []float64
}

var legendLabel = regexp.MustCompile(`{{(\w+)}}`)

// add takes one series of a query.
func (p *plot) add(legend string, s sample) {
	name := legendLabel.ReplaceAllStringFunc(legend, func(label string) string { return s.Metric[strings.Trim(label, "{}")] })
	if p.Type == "table" {
		name = s.Metric["namespace"] + "/" + s.Metric["endpoint"] + "  " + s.Metric["reason"]
	}
	made := line{name: name}
	for _, pair := range s.Values {
		value, err := strconv.ParseFloat(fmt.Sprint(pair[1]), 64)
		if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			continue
		}
		at, _ := pair[0].(float64)
		made.at, made.values = append(made.at, at), append(made.values, value)
	}
	if len(made.values) > 0 {
		p.series = append(p.series, made)
	}
}

// page is a dashboard as SVG.
func page(title string, plots []plot) string {
	bottom := 0
	var panels strings.Builder
	for _, p := range plots {
		panels.WriteString(p.svg())
		bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
	}
	width, height := 24*column+8, bottom*row+header+8
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" `+
		`font-family="Helvetica, Arial, sans-serif" font-size="11">
<rect width="100%%" height="100%%" fill="#f4f5f5"/>
<text x="12" y="26" font-size="17" fill="#1f2329">%s</text>
%s</svg>
`, width, height, html.EscapeString(title), panels.String())
}

func (p plot) svg() string {
	x, y := p.GridPos.X*column+8, p.GridPos.Y*row+header
	width, height := p.GridPos.W*column-8, p.GridPos.H*row-8
	var out strings.Builder
	fmt.Fprintf(&out, `<g transform="translate(%d %d)"><rect width="%d" height="%d" rx="3" fill="#fff" stroke="#dcdee3"/>`+
		`<text x="10" y="18" font-weight="bold" fill="#1f2329">%s</text>`+"\n", x, y, width, height, html.EscapeString(p.Title))
	switch p.Type {
	case "stat":
		out.WriteString(p.number(width, height))
	case "table":
		for i, s := range p.series {
			fmt.Fprintf(&out, `<text x="12" y="%d" fill="#1f2329">%s</text>`, 42+18*i, html.EscapeString(s.name))
		}
	default:
		out.WriteString(p.lines(width, height))
	}
	out.WriteString("</g>\n")
	return out.String()
}

func (p plot) number(width, height int) string {
	text := "–"
	if len(p.series) > 0 {
		values := p.series[0].values
		text = human(values[len(values)-1], p.FieldConfig.Defaults.Unit)
	}
	return fmt.Sprintf(`<text x="%d" y="%d" font-size="30" text-anchor="middle" fill="#3274d9">%s</text>`,
		width/2, height/2+20, text)
}

// lines draws all series from zero to the largest value.
func (p plot) lines(width, height int) string {
	left, top, right, bottom := 58, 30, width-12, height-34
	first, last, largest := p.bounds()
	var out strings.Builder
	for i := range 3 {
		y := bottom - (bottom-top)*i/2
		fmt.Fprintf(&out, `<path d="M%d %dH%d" stroke="#e8e9ec"/><text x="%d" y="%d" text-anchor="end" fill="#6b7280">%s</text>`,
			left, y, right, left-6, y+4, human(largest*float64(i)/2, p.FieldConfig.Defaults.Unit))
	}
	legend := left
	for i, s := range p.series {
		colour := colours[i%len(colours)]
		points := make([]string, len(s.values))
		for n, value := range s.values {
			px := float64(left) + float64(right-left)*(s.at[n]-first)/math.Max(last-first, 1)
			points[n] = fmt.Sprintf("%.0f,%.1f", px, float64(bottom)-float64(bottom-top)*value/largest)
		}
		fmt.Fprintf(&out, `<polyline fill="none" stroke="%s" stroke-width="1.5" points="%s"/>`+"\n", colour, strings.Join(points, " "))
		if i < legends && legend+6*len(s.name) < width {
			fmt.Fprintf(&out, `<text x="%d" y="%d" fill="%s">%s</text>`, legend, height-12, colour, html.EscapeString(s.name))
			legend += 14 + 6*len(s.name)
		}
	}
	return out.String()
}

func (p plot) bounds() (first, last, largest float64) {
	first, largest = math.Inf(1), 0
	for _, s := range p.series {
		first, last = math.Min(first, s.at[0]), math.Max(last, s.at[len(s.at)-1])
		for _, value := range s.values {
			largest = math.Max(largest, value)
		}
	}
	if largest == 0 {
		largest = 1
	}
	return first, last, largest
}

// human writes a value in a unit of Grafana's.
func human(value float64, unit string) string {
	switch {
	case unit == "percentunit":
		return strconv.FormatFloat(100*value, 'f', 1, 64) + " %"
	case unit == "bytes":
		return strconv.FormatFloat(value/(1<<20), 'f', 1, 64) + " MiB"
	case unit == "s" && value < 1:
		return strconv.FormatFloat(1000*value, 'g', 3, 64) + " ms"
	case unit == "s":
		return strconv.FormatFloat(value, 'g', 3, 64) + " s"
	case unit == "reqps" || unit == "ops":
		return strconv.FormatFloat(value, 'g', 3, 64) + "/s"
	default:
		return strconv.FormatFloat(value, 'g', 4, 64)
	}
}
