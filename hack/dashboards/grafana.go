package main

import "fmt"

// dashboard is one page of panels.
type dashboard struct {
	name, title, description string
	// variables narrow the page, each within those before it.
	variables []variable
	panels    []panel
}

// variable is a label whose values a reader chooses from.
type variable struct{ label, metric string }

// panel is one picture.
type panel struct {
	title, description string
	// kind is one of the kinds below; unit is Grafana's word.
	kind, unit string
	queries    []query
}

// query is an expression and how its series are named.
type query struct{ expr, legend string }

// Kinds of panels. Numbers are a quarter of the page wide, the others half of it.
const (
	number = "stat"
	lines  = "timeseries"
	table  = "table"
)

const (
	pageWidth    = 24
	numberHeight = 4
	lineHeight   = 8
	// schemaVersion is that of Grafana 10; newer ones read it.
	schemaVersion = 38
)

type object = map[string]any

func (d dashboard) grafana() object {
	return object{
		"uid": "postern-" + d.name, "title": d.title, "description": d.description, "tags": []string{"postern"},
		"schemaVersion": schemaVersion, "version": 1, "editable": true, "graphTooltip": 1, "refresh": "30s",
		"time":       object{"from": "now-3h", "to": "now"},
		"templating": object{"list": d.templating()},
		"links": []object{{
			"type": "dashboards", "tags": []string{"postern"}, "title": "Postern", "asDropdown": true,
			"includeVars": true, "keepTime": true,
		}},
		"panels": d.grid(),
	}
}

func (d dashboard) templating() []object {
	list := []object{{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}}
	matchers := ""
	for _, v := range d.variables {
		definition := fmt.Sprintf("label_values(%s%s, %s)", v.metric, braces(matchers), v.label)
		list = append(list, object{
			"name": v.label, "label": v.label, "type": "query", "datasource": source(),
			"definition": definition, "query": object{"query": definition, "refId": v.label},
			"includeAll": true, "multi": true, "allValue": ".*", "refresh": 2, "sort": 1,
			"current": object{"text": "All", "value": "$__all"},
		})
		if matchers != "" {
			matchers += ", "
		}
		matchers += fmt.Sprintf(`%s=~"$%s"`, v.label, v.label)
	}
	return list
}

func braces(matchers string) string {
	if matchers == "" {
		return ""
	}
	return "{" + matchers + "}"
}

func source() object { return object{"type": "prometheus", "uid": "${datasource}"} }

// grid lays panels out from left to right.
func (d dashboard) grid() []object {
	var panels []object
	x, y, row := 0, 0, 0
	for i, p := range d.panels {
		width, height := pageWidth/2, lineHeight
		if p.kind == number {
			width, height = pageWidth/6, numberHeight
		}
		if x+width > pageWidth || (row != 0 && row != height) {
			x, y = 0, y+row
		}
		row = height
		panels = append(panels, p.grafana(i+1, object{"x": x, "y": y, "w": width, "h": height}))
		x += width
	}
	return panels
}

func (p panel) grafana(id int, position object) object {
	targets := make([]object, len(p.queries))
	for i, q := range p.queries {
		targets[i] = object{
			"refId": string(rune('A' + i)), "expr": q.expr, "legendFormat": q.legend, "datasource": source(),
			"instant": p.kind != lines, "range": p.kind == lines,
		}
		if p.kind == table {
			targets[i]["format"] = "table"
		}
	}
	made := object{
		"id": id, "type": p.kind, "title": p.title, "description": p.description, "datasource": source(),
		"gridPos": position, "targets": targets,
		"fieldConfig": object{"defaults": object{"unit": p.unit, "min": 0}, "overrides": []object{}},
	}
	switch p.kind {
	case lines:
		made["options"] = object{
			"legend":  object{"displayMode": "list", "placement": "bottom"},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		}
	case number:
		made["options"] = object{"reduceOptions": object{"calcs": []string{"lastNotNull"}}, "graphMode": "area"}
	}
	return made
}
