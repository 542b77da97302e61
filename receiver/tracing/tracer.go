package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	// scope names the instrumentation; service is the name of the process unless
	// OTEL_SERVICE_NAME gives another.
	scope   = "github.com/postern-dev/postern"
	service = "postern-receiver"
	// million is what sampling rates are parts of.
	million = 1_000_000
	// shutdownTimeout bounds the last export.
	shutdownTimeout = 3 * time.Second
	// complainEvery is how often a collector that does not take spans is logged.
	complainEvery = time.Minute
)

// Options configure a [Tracer].
type Options struct {
	// Endpoint is the base URL of the collector's OTLP/HTTP receiver, such as
	// http://collector:4318. Empty takes OTEL_EXPORTER_OTLP_ENDPOINT and its
	// relatives from the environment, and nothing is traced if they are empty too.
	Endpoint string
	// SamplingRatePerMillion is how many of a million traces are recorded that no
	// sender has decided on, 0 to 1000000.
	SamplingRatePerMillion int
	// Version is that of the program.
	Version string
	// Logger is told of a collector that takes no spans; nil discards.
	Logger *slog.Logger
	// Lookup reads the environment; nil means an empty one.
	Lookup func(string) (string, bool)
}

// Tracer makes spans. A nil Tracer makes none; all its methods may be called.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	ratio    sdktrace.Sampler
}

// New returns a tracer, or nil if no collector is configured. It does not wait
// for the collector: spans that it does not take are dropped.
func New(ctx context.Context, options Options) (*Tracer, error) {
	if !options.enabled() {
		return nil, nil
	}
	if options.SamplingRatePerMillion < 0 || options.SamplingRatePerMillion > million {
		return nil, fmt.Errorf("sampling rate of traces: %d is not from 0 to %d", options.SamplingRatePerMillion, million)
	}
	settings, err := options.exporter()
	if err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx, settings...)
	if err != nil {
		return nil, fmt.Errorf("exporter of traces: %w", err)
	}
	described, err := resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", service), attribute.String("service.version", options.Version)),
		resource.WithHost(), resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("resource of traces: %w", err)
	}
	if options.Logger != nil {
		otel.SetErrorHandler(&complaints{log: options.Logger})
	}
	// What is recorded is decided here, before the SDK sees a span.
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithIDGenerator(generator{}))
	return &Tracer{
		provider: provider,
		tracer:   provider.Tracer(scope, trace.WithInstrumentationVersion(options.Version)),
		ratio:    sdktrace.TraceIDRatioBased(float64(options.SamplingRatePerMillion) / million),
	}, nil
}

// enabled tells whether there is a collector.
func (o Options) enabled() bool {
	if o.get("OTEL_SDK_DISABLED") == "true" {
		return false
	}
	return o.Endpoint != "" ||
		o.get("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || o.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

func (o Options) get(name string) string {
	if o.Lookup == nil {
		return ""
	}
	value, _ := o.Lookup(name)
	return value
}

// exporter leaves to the environment what the options do not say.
func (o Options) exporter() ([]otlptracehttp.Option, error) {
	if o.Endpoint == "" {
		return nil, nil
	}
	base, err := url.Parse(o.Endpoint)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("endpoint of traces: %q is no URL such as http://collector:4318", o.Endpoint)
	}
	return []otlptracehttp.Option{otlptracehttp.WithEndpointURL(base.JoinPath("v1", "traces").String())}, nil
}

// Shutdown exports what is left, for 3 s at most, and ends the exporter.
func (t *Tracer) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	return t.provider.Shutdown(ctx)
}
