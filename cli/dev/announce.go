package dev

import (
	"strings"

	"github.com/postern-dev/postern/receiver/deliver/outbound"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/table"
)

// announce tells which endpoints came into force: where each is reached, and
// where its events go.
func (f *folder) announce(network outbound.Network, base interface{ Load() *string }) func(*table.Table) {
	return func(loaded *table.Table) {
		lines := []string{"Serving:"}
		for _, endpoint := range loaded.Endpoints() {
			lines = append(lines, "  "+describe(endpoint.Route, network, *base.Load()))
		}
		f.say("%s", strings.Join(lines, "\n"))
	}
}

func describe(endpoint *route.Endpoint, network outbound.Network, base string) string {
	url := endpoint.URL
	if url == "" {
		url = base + endpoint.Path
	}
	var targets []string
	for _, target := range endpoint.Targets {
		targets = append(targets, network.Destination(&target).Address())
	}
	text := endpoint.Namespace + "/" + endpoint.Name + " (" + endpoint.Source.Label() + ") " + url +
		" -> " + strings.Join(targets, ", ")
	if endpoint.Suspend {
		text += " (suspended: events queue)"
	}
	return text
}
