// Package endpoint turns WebhookEndpoints into routes and reports on them.
//
// A reconcile is a list of steps over one scope: gather what the endpoint
// names, compile it (purely, in controllers/compile), write the route Secret,
// ask the receivers whether they serve it. Steps fill the scope and return
// errors; conditions are set by controllers/status alone, at the end.
package endpoint
