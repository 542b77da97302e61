package main

import "strings"

// Matchers of the variables of a page.
const (
	ofNamespace = `namespace=~"$namespace"`
	ofEndpoint  = ofNamespace + `, endpoint=~"$endpoint"`
	ofTarget    = ofEndpoint + `, target=~"$target"`
)

// rate is the rate of a counter, by labels; "" sums all.
func rate(by, metric, matchers string) string {
	return sum(by) + "(rate(" + metric + braces(matchers) + "[$__rate_interval]))"
}

func sum(by string) string {
	if by == "" {
		return "sum"
	}
	return "sum by (" + by + ") "
}

// deepest is a depth, which every receiver measures for itself.
func deepest(by, metric, matchers string) string {
	return "max by (" + by + ") (" + metric + braces(matchers) + ")"
}

// quantiles of a histogram, by labels.
func quantiles(by, metric, matchers string, of ...string) []query {
	legend := ""
	if by != "" {
		legend, by = " {{"+by+"}}", ", "+by
	}
	var queries []query
	for _, q := range of {
		expr := "histogram_quantile(" + q + ", " + rate("le"+by, metric+"_bucket", matchers) + ")"
		queries = append(queries, query{expr, "p" + strings.TrimPrefix(q, "0.") + legend})
	}
	return queries
}

func one(expr, legend string) []query { return []query{{expr, legend}} }

const perTarget = "namespace, endpoint, target"

var overview = dashboard{
	name: "overview", title: "Postern / Overview",
	description: "What comes in, what is refused, what is delivered, what waits.",
	variables:   []variable{{"namespace", "postern_requests_total"}},
	panels: []panel{
		{
			title: "Endpoints ready", kind: number, unit: "short", description: "WebhookEndpoints that serve.",
			queries: one("count(max by (namespace, endpoint) (postern_endpoint_ready{"+ofNamespace+"}) == 1) or vector(0)", ""),
		},
		{
			title: "Endpoints not ready", kind: number, unit: "short", description: "WebhookEndpoints that need somebody.",
			queries: one("count(max by (namespace, endpoint) (postern_endpoint_ready{"+ofNamespace+"}) == 0) or vector(0)", ""),
		},
		{
			title: "Events a second", kind: number, unit: "ops", description: "Accepted and stored.",
			queries: one(rate("", "postern_events_received_total", ofNamespace), ""),
		},
		{
			title: "Duplicates", kind: number, unit: "percentunit", description: "Share of the requests that repeat an event.",
			queries: one(rate("", "postern_requests_total", ofNamespace+`, outcome="duplicate"`)+" / "+
				rate("", "postern_requests_total", ofNamespace), ""),
		},
		{
			title: "Events waiting", kind: number, unit: "short", description: "Not delivered yet, in all queues.",
			queries: one("sum("+deepest(perTarget, "postern_events_pending", ofNamespace)+")", ""),
		},
		{
			title: "Dead letters", kind: number, unit: "short", description: "Kept for replay, in all queues.",
			queries: one("sum("+deepest(perTarget, "postern_dead_letters", ofNamespace)+")", ""),
		},
		{
			title: "Requests by outcome", kind: lines, unit: "reqps", description: "How senders are answered.",
			queries: one(rate("outcome", "postern_requests_total", ofNamespace), "{{outcome}}"),
		},
		{
			title: "Rejections by reason", kind: lines, unit: "reqps", description: "Why requests are refused.",
			queries: one(rate("reason", "postern_rejections_total", ofNamespace), "{{reason}}"),
		},
		{
			title: "Time to answer", kind: lines, unit: "s", description: "Senders give up after three seconds or more.",
			queries: quantiles("", "postern_receive_duration_seconds", ofNamespace, "0.50", "0.95", "0.99"),
		},
		{
			title: "Attempts by outcome", kind: lines, unit: "ops", description: "What becomes of deliveries.",
			queries: one(rate("outcome", "postern_deliveries_total", ofNamespace), "{{outcome}}"),
		},
		{
			title: "Longest queues", kind: lines, unit: "short", description: "The ten queues with the most events.",
			queries: one("topk(10, "+deepest(perTarget, "postern_events_pending", ofNamespace)+")",
				"{{namespace}}/{{endpoint}} {{target}}"),
		},
		{
			title: "Targets that fail", kind: lines, unit: "bool", description: "They get only probes until they answer again.",
			queries: one(deepest(perTarget, "postern_breaker_open", ofNamespace)+" > 0",
				"{{namespace}}/{{endpoint}} {{target}}"),
		},
		{
			title: "Busiest endpoints", kind: lines, unit: "reqps", description: "The ten endpoints with the most requests.",
			queries: one("topk(10, "+rate("namespace, endpoint", "postern_requests_total", ofNamespace+`, endpoint!=""`)+")",
				"{{namespace}}/{{endpoint}}"),
		},
		{
			title: "Endpoints that need somebody", kind: table, unit: "short", description: "Not ready, and why.",
			queries: one("max by (namespace, endpoint, reason) (postern_endpoint_ready{"+ofNamespace+"}) == 0", ""),
		},
	},
}

var endpoint = dashboard{
	name: "endpoint", title: "Postern / Endpoint",
	description: "One WebhookEndpoint: its requests, its events, its keys.",
	variables:   []variable{{"namespace", "postern_requests_total"}, {"endpoint", "postern_requests_total"}},
	panels: []panel{
		{
			title: "Requests by outcome", kind: lines, unit: "reqps", description: "How the sender is answered.",
			queries: one(rate("outcome", "postern_requests_total", ofEndpoint), "{{outcome}}"),
		},
		{
			title: "Rejections by reason", kind: lines, unit: "reqps", description: "The words of answers and log.",
			queries: one(rate("reason", "postern_rejections_total", ofEndpoint), "{{reason}}"),
		},
		{
			title: "Events by type", kind: lines, unit: "ops", description: "Stored events; beyond 64 types all others are one.",
			queries: one(rate("event_type", "postern_events_received_total", ofEndpoint), "{{event_type}}"),
		},
		{
			title: "Duplicates", kind: lines, unit: "percentunit", description: "Share of the requests that repeat an event.",
			queries: one(rate("endpoint", "postern_requests_total", ofEndpoint+`, outcome="duplicate"`)+" / "+
				rate("endpoint", "postern_requests_total", ofEndpoint), "{{endpoint}}"),
		},
		{
			title: "Time to answer", kind: lines, unit: "s", description: "From the request's head to the answer.",
			queries: quantiles("", "postern_receive_duration_seconds", ofEndpoint, "0.50", "0.95", "0.99"),
		},
		{
			title: "Time from reception to delivery", kind: lines, unit: "s", description: "Of events that were delivered.",
			queries: quantiles("target", "postern_event_age_seconds", ofEndpoint, "0.50", "0.99"),
		},
		{
			title: "Requests by key", kind: lines, unit: "reqps", description: "Which key of the Secret proved them.",
			queries: one(rate("key", "postern_secret_used_total", ofEndpoint), "{{key}}"),
		},
		{
			title: "Time since a key was used", kind: lines, unit: "s", description: "A key that nobody uses can go.",
			queries: one("time() - max by (key) (postern_secret_last_used_timestamp_seconds{"+ofEndpoint+"})", "{{key}}"),
		},
		{
			title: "Events waiting", kind: lines, unit: "short", description: "By target.",
			queries: one(deepest("target", "postern_events_pending", ofEndpoint), "{{target}}"),
		},
		{
			title: "Dead letters", kind: lines, unit: "short", description: "By target; kept until somebody replays them.",
			queries: one(deepest("target", "postern_dead_letters", ofEndpoint), "{{target}}"),
		},
	},
}

var target = dashboard{
	name: "target", title: "Postern / Target",
	description: "One target of an endpoint: what it takes, what waits for it, how it answers.",
	variables: []variable{
		{"namespace", "postern_events_pending"}, {"endpoint", "postern_events_pending"}, {"target", "postern_events_pending"},
	},
	panels: []panel{
		{
			title: "Attempts by outcome", kind: lines, unit: "ops", description: "Delivered, to be tried again, dead.",
			queries: one(rate("outcome", "postern_deliveries_total", ofTarget), "{{outcome}}"),
		},
		{
			title: "Time of an attempt", kind: lines, unit: "s", description: "How long the target takes to answer.",
			queries: quantiles("", "postern_delivery_duration_seconds", ofTarget, "0.50", "0.95", "0.99"),
		},
		{
			title: "Events waiting", kind: lines, unit: "short", description: "Due, delayed or under way.",
			queries: one(deepest(perTarget, "postern_events_pending", ofTarget), "{{endpoint}} {{target}}"),
		},
		{
			title: "Age of the oldest event", kind: lines, unit: "s", description: "It is dead after retry.maxAgeSeconds.",
			queries: one(deepest(perTarget, "postern_oldest_pending_seconds", ofTarget), "{{endpoint}} {{target}}"),
		},
		{
			title: "Time from reception to delivery", kind: lines, unit: "s", description: "Of events that were delivered.",
			queries: quantiles("", "postern_event_age_seconds", ofTarget, "0.50", "0.95", "0.99"),
		},
		{
			title: "Dead letters", kind: lines, unit: "short", description: "Kept until somebody replays them.",
			queries: one(deepest(perTarget, "postern_dead_letters", ofTarget), "{{endpoint}} {{target}}"),
		},
		{
			title: "Only probes", kind: lines, unit: "bool", description: "1 while the target fails.",
			queries: one(deepest(perTarget, "postern_breaker_open", ofTarget), "{{endpoint}} {{target}}"),
		},
		{
			title: "Failures", kind: lines, unit: "percentunit", description: "Share of the attempts that were not taken.",
			queries: one(rate("target", "postern_deliveries_total", ofTarget+`, outcome!="delivered"`)+" / "+
				rate("target", "postern_deliveries_total", ofTarget), "{{target}}"),
		},
	},
}

// ofReceivers keeps, of metrics that every program has, those of receivers.
const ofReceivers = " and on (instance) postern_routes_loaded"

var store = dashboard{
	name: "store", title: "Postern / Store and receivers",
	description: "The store, how full and how quick it is, and the processes around it.",
	panels: []panel{
		{
			title: "Receivers ready", kind: number, unit: "short", description: "Pods that take requests.",
			queries: one("sum(postern_ready)", ""),
		},
		{
			title: "Store", kind: number, unit: "bool", description: "Whether the store answers.",
			queries: one("min(postern_store_up)", ""),
		},
		{
			title: "Durable", kind: number, unit: "bool", description: "Whether the store keeps what is acknowledged.",
			queries: one("min(postern_store_durable)", ""),
		},
		{
			title: "Used", kind: number, unit: "percentunit", description: "At 80 % new events are refused.",
			queries: one("max(postern_store_used_ratio)", ""),
		},
		{
			title: "Routes", kind: number, unit: "short", description: "Endpoints that receivers have loaded.",
			queries: one("max(postern_routes_loaded)", ""),
		},
		{
			title: "Routes refused", kind: number, unit: "short", description: "Their last good version stays in force.",
			queries: one("max(postern_routes_refused)", ""),
		},
		{
			title: "Time to store an event", kind: lines, unit: "s", description: "Mostly the wait for the disk.",
			queries: quantiles("", "postern_store_duration_seconds", "", "0.50", "0.95", "0.99"),
		},
		{
			title: "Steps of the store", kind: lines, unit: "ops", description: "Events and duplicates that went to the store.",
			queries: one(rate("outcome", "postern_store_duration_seconds_count", ""), "{{outcome}}"),
		},
		{
			title: "Used part of the store", kind: lines, unit: "percentunit", description: "Of memory or volume.",
			queries: one("postern_store_used_ratio", "{{instance}}"),
		},
		{
			title: "Largest namespaces", kind: lines, unit: "bytes", description: "What their events take in the store.",
			queries: one("topk(10, max by (namespace) (postern_namespace_stored_bytes))", "{{namespace}}"),
		},
		{
			title: "Refused because of the store", kind: lines, unit: "reqps", description: "Answered 503; senders try again.",
			queries: one(rate("reason", "postern_rejections_total",
				`reason=~"store_full|store_unavailable|namespace_full|overloaded|not_ready"`), "{{reason}}"),
		},
		{
			title: "WebhookReceivers", kind: lines, unit: "bool", description: "1 while ready, with the reason.",
			queries: one("max by (namespace, receiver, reason) (postern_receiver_ready)",
				"{{namespace}}/{{receiver}} {{reason}}"),
		},
		{
			title: "Memory of receivers", kind: lines, unit: "bytes", description: "Resident, without the store.",
			queries: one("process_resident_memory_bytes"+ofReceivers, "{{instance}}"),
		},
		{
			title: "CPU of receivers", kind: lines, unit: "short", description: "Cores, without the store.",
			queries: one("rate(process_cpu_seconds_total[$__rate_interval])"+ofReceivers, "{{instance}}"),
		},
	},
}
