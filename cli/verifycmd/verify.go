// Package verifycmd is `postern verify`: it judges one recorded request
// offline, exactly as a receiver would.
//
// It imports receiver/verify and route; it opens no sockets of its own.
package verifycmd

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/input"
	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/cli/providers"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/diagnose"
)

// options are the flags as given.
type options struct {
	provider    string
	schemeFile  string
	secretFiles []string
	settings    []string
	url         string
	method      string
	headers     []string
	bodyFile    string
	at          int64
	tolerance   int64
}

// Command is `postern verify`.
func Command() *cobra.Command {
	var given options
	command := &cobra.Command{
		Use:   "verify (--provider NAME | --scheme-file FILE) [--secret-file FILE]... [flags]",
		Short: "Judge one recorded request offline",
		Long: `Judge one recorded request offline, exactly as a receiver would.

Prints one JSON object; for a request that is rejected it tells, where that can be told,
what would have matched. The exit status is 0 for a request that is verified or
a handshake, 1 for one that is rejected, and 2 when it could not be judged.`,
		Example: `  # Why was this delivery refused?
  postern verify --provider github --secret-file secret.txt \
    --header 'X-Hub-Signature-256: sha256=6f1e…' --header 'X-GitHub-Event: push' --body-file body.json

  # A request of last year, at the time when it was received
  postern verify --provider stripe --secret-file whsec.txt --header 'Stripe-Signature: t=1700000000,v1=…' \
    --body-file event.json --at 1700000003

  # A scheme of one's own, as in spec.source.scheme
  postern verify --scheme-file scheme.yaml --secret-file key --header 'X-Signature: …' --body-file body.json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return run(command.Context(), given, command.InOrStdin(), command.OutOrStdout())
		},
	}
	bind(command, &given)
	return command
}

func bind(command *cobra.Command, given *options) {
	flags := command.Flags()
	flags.StringVar(&given.provider, "provider", "", "built-in provider, as `NAME` in postern providers")
	flags.StringVar(&given.schemeFile, "scheme-file", "", "YAML or JSON `FILE` with the fields of spec.source.scheme")
	flags.StringArrayVar(&given.secretFiles, "secret-file", nil,
		"`FILE` with an active secret, repeatable; "+input.SecretHelp)
	flags.StringArrayVar(&given.settings, "option", nil, "option of the provider as `name=value`, repeatable")
	flags.StringVar(&given.url, "url", "",
		"`URL` that was requested, as configured at the provider, with its query string")
	flags.StringVar(&given.method, "method", http.MethodPost, "request `METHOD`")
	flags.StringArrayVar(&given.headers, "header", nil, "request header as `'Name: value'`, repeatable")
	flags.StringVar(&given.bodyFile, "body-file", "", "`FILE` with the raw body, - for standard input (default: no body)")
	flags.Int64Var(&given.at, "at", 0, "time of receipt as `UNIX` seconds (default now)")
	flags.Int64Var(&given.tolerance, "tolerance-seconds", 0,
		"replay window in `SECONDS` for signed timestamps (default the provider's)")
	command.MarkFlagsOneRequired("provider", "scheme-file")
	command.MarkFlagsMutuallyExclusive("provider", "scheme-file")
	_ = command.RegisterFlagCompletionFunc("provider",
		func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return providers.Names(), cobra.ShellCompDirectiveNoFileComp
		})
}

func run(ctx context.Context, given options, stdin io.Reader, stdout io.Writer) error {
	config, err := given.config()
	if err != nil {
		return err
	}
	request, err := given.request(stdin)
	if err != nil {
		return err
	}
	verifier, err := verify.Compile(config)
	if err != nil {
		return exit.Usagef("%w", err)
	}
	verdict, err := verifier.Verify(ctx, request)
	rejection, rejected := errors.AsType[*verify.Rejection](err)
	switch {
	case rejected:
		findings := diagnose.Explain(ctx, config, request, err)
		if err := output.WriteJSONLine(stdout, rejectedAnswer(rejection, findings)); err != nil {
			return err
		}
		return exit.Silent(exit.Failure)
	case err != nil:
		return exit.Usagef("the request could not be judged: %w", err)
	}
	return output.WriteJSONLine(stdout, acceptedAnswer(verdict))
}

// config is what an endpoint would say about its source.
func (o options) config() (verify.Config, error) {
	config := verify.Config{
		Source: route.Source{Provider: o.provider, ToleranceSeconds: o.tolerance, Enforcement: route.EnforcementEnforce},
		URL:    o.url,
	}
	var err error
	if o.tolerance < 0 {
		return config, exit.Usagef("--tolerance-seconds: %d must not be negative", o.tolerance)
	}
	if o.schemeFile != "" {
		if config.Source.Scheme, err = readScheme(o.schemeFile); err != nil {
			return config, err
		}
	}
	if config.Source.Options, err = input.Pairs("option", o.settings); err != nil {
		return config, err
	}
	config.Keys, err = input.Secrets("secret-file", o.secretFiles)
	return config, err
}

func readScheme(file string) (*route.Scheme, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, exit.Usagef("--scheme-file: %w", err)
	}
	var scheme route.Scheme
	if err := yaml.UnmarshalStrict(data, &scheme); err != nil {
		return nil, exit.Usagef("--scheme-file: %s: %w", file, err)
	}
	return &scheme, nil
}

// request is the recorded one.
func (o options) request(stdin io.Reader) (*verify.Request, error) {
	request := &verify.Request{Method: o.method, Now: time.Now()}
	if o.at != 0 {
		request.Now = time.Unix(o.at, 0)
	}
	if o.url != "" {
		target, err := input.URL("url", o.url)
		if err != nil {
			return nil, err
		}
		request.RawQuery = target.RawQuery
	}
	var err error
	if request.Header, err = input.Headers("header", o.headers); err != nil {
		return nil, err
	}
	request.Body, err = input.Body("body-file", o.bodyFile, stdin)
	return request, err
}
