package ingest

import (
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/diagnose"
)

const (
	// logEvery is how often one endpoint may log one reason: a flood of forged
	// requests must not become a flood of lines.
	logEvery = time.Second
	// logKeyEvery is the same for the use of a key that is being rotated out.
	logKeyEvery = time.Hour
	// logHintEvery is how often one endpoint's refusals are explained, which costs
	// several verifications.
	logHintEvery = time.Minute
	// maxLogged is how much of a text that the sender chose is logged.
	maxLogged = 120
)

// logRejection writes one line: never payload, never a credential.
func (h *Handler) logRejection(x *exchange, refusal *Refusal, status int) {
	suppressed, ok := h.sampler.Take(logEvery, x.uid(), string(refusal.Reason))
	if !ok {
		return
	}
	attrs := append(h.attrs(x, refusal), slog.Int("status", status))
	h.Logger.Info("Rejected request", append(attrs, slog.Int("suppressed", suppressed))...)
}

// logAudit writes one line for a request that Audit let through.
func (h *Handler) logAudit(x *exchange, refusal *Refusal) {
	suppressed, ok := h.sampler.Take(logEvery, x.uid(), "audit "+string(refusal.Reason))
	if !ok {
		return
	}
	attrs := append(h.attrs(x, refusal), slog.Int("suppressed", suppressed))
	h.Logger.Warn("Accepted unverified request because the endpoint only audits", attrs...)
}

// logOlderKey tells that somebody still uses a key other than the first, so
// that a rotation can be brought to its end.
func (h *Handler) logOlderKey(x *exchange, key string) {
	keys := x.route().Keys
	if len(keys) < 2 || !slices.ContainsFunc(keys[1:], func(k route.Key) bool { return k.Name == key }) {
		return
	}
	suppressed, ok := h.sampler.Take(logKeyEvery, x.uid(), "key "+key)
	if !ok {
		return
	}
	r := x.route()
	h.Logger.Info("Request was verified with an older key", slog.String("endpoint", r.Namespace+"/"+r.Name),
		slog.String("source", r.Source.Label()), slog.String("key", key), slog.Int("suppressed", suppressed))
}

// logHint tells what would have been accepted in the request's place, where
// that can be told. It is for the endpoint's owner: the sender sees nothing of it.
func (h *Handler) logHint(x *exchange, request *verify.Request, refusal error) {
	if _, ok := h.sampler.Take(logHintEvery, x.uid(), "hint"); !ok {
		return
	}
	r := x.route()
	config := verify.Config{Source: r.Source, Keys: r.Keys, URL: r.URL}
	for _, finding := range diagnose.Explain(x.request.Context(), config, request, refusal) {
		h.Logger.Info("Explained a refusal", slog.String("endpoint", r.Namespace+"/"+r.Name),
			slog.String("source", r.Source.Label()), slog.String("cause", finding.Cause), slog.String("hint", finding.Text))
	}
}

// expressionFailed counts an expression that failed on an event, and writes a line.
func (h *Handler) expressionFailed(x *exchange, field string, err error) {
	if err == nil {
		return
	}
	h.Metrics.ExpressionFailed(x.route(), field)
	suppressed, ok := h.sampler.Take(logEvery, x.uid(), field)
	if !ok {
		return
	}
	attrs := h.attrs(x, &Refusal{Reason: ReasonExpressionFailed, Detail: err.Error()})
	h.Logger.Warn("Expression failed on an event", append(attrs, slog.String("field", field),
		slog.Int("suppressed", suppressed))...)
}

func (h *Handler) attrs(x *exchange, refusal *Refusal) []any {
	attrs := []any{slog.String("reason", string(refusal.Reason))}
	if r := x.route(); r != nil {
		attrs = append(attrs, slog.String("endpoint", r.Namespace+"/"+r.Name), slog.String("source", r.Source.Label()))
	} else {
		attrs = append(attrs, slog.String("path", printable(x.request.URL.Path)))
	}
	if x.event != nil {
		attrs = append(attrs, slog.String("event", x.event.ID))
	}
	attrs = append(attrs, slog.String("method", printable(x.request.Method)))
	if x.client.IsValid() {
		attrs = append(attrs, slog.String("client", x.client.String()))
	}
	if refusal.Detail != "" {
		attrs = append(attrs, slog.String("detail", printable(refusal.Detail)))
	}
	return attrs
}

// printable shortens a text and escapes what a terminal would obey.
func printable(text string) string {
	if len(text) > maxLogged {
		text = text[:maxLogged] + "…"
	}
	quoted := strconv.QuoteToASCII(text)
	return quoted[1 : len(quoted)-1]
}

func (x *exchange) uid() string {
	if x.endpoint == nil {
		return ""
	}
	return x.endpoint.Route.UID
}
