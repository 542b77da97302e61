// Package send is `postern send`: it builds a realistic event of a provider,
// signs it as the provider would, and posts it.
//
// It imports receiver/verify/sign, which does the signing.
package send

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/input"
	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/cli/providers"
	"github.com/postern-dev/postern/receiver/verify"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

// options are the flags as given.
type options struct {
	provider   string
	secretFile string
	url        string
	configured string
	settings   []string
	event      string
	id         string
	bodyFile   string
	repeat     int
	timeout    time.Duration
	format     *output.Format
}

// Command is `postern send`.
func Command() *cobra.Command {
	var given options
	command := &cobra.Command{
		Use:   "send PROVIDER --url URL [--secret-file FILE] [flags]",
		Short: "Send a signed event as a provider would",
		Long: `Build a realistic event of a provider, sign it as the provider would, post it, and
print the answer.

The exit status is 0 when every answer was a 2xx, 1 when one was not or none came.`,
		Example: `  postern send github --secret-file secret.txt --url http://localhost:8080/ci/github
  postern send github --event release.published --secret-file secret.txt \
    --url https://hooks.example.com/ci/github

  # The same delivery three times: one is accepted, two are duplicates
  postern send stripe --id evt_1 --repeat 3 --secret-file whsec.txt --url http://localhost:8080/shop/stripe`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return sign.Providers(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(command *cobra.Command, arguments []string) error {
			given.provider = arguments[0]
			return run(command.Context(), given, command.InOrStdin(), command.OutOrStdout())
		},
	}
	bind(command, &given)
	return command
}

func bind(command *cobra.Command, given *options) {
	flags := command.Flags()
	flags.StringVar(&given.secretFile, "secret-file", "", "`FILE` with the secret to sign with; "+input.SecretHelp)
	flags.StringVar(&given.url, "url", "", "`URL` to post to")
	flags.StringVar(&given.configured, "signed-url", "",
		"`URL` as configured at the provider, for schemes that sign it (default the value of --url)")
	flags.StringArrayVar(&given.settings, "option", nil, "option of the provider as `name=value`, repeatable")
	flags.StringVar(&given.event, "event", "", "event `TYPE` (default the provider's first sample)")
	flags.StringVar(&given.id, "id", "", "delivery `ID` (default a random one for every request)")
	flags.StringVar(&given.bodyFile, "body-file", "",
		"`FILE` with the body to send, - for standard input (default a sample)")
	flags.IntVar(&given.repeat, "repeat", 1, "send `N` requests, one after the other")
	flags.DurationVar(&given.timeout, "timeout", 30*time.Second, "how long to wait for each answer")
	given.format = output.Flag(flags)
	_ = command.MarkFlagRequired("url")
	_ = command.RegisterFlagCompletionFunc("event",
		func(_ *cobra.Command, arguments []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(arguments) == 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return sign.Samples(arguments[0]), cobra.ShellCompDirectiveNoFileComp
		})
}

func run(ctx context.Context, given options, stdin io.Reader, stdout io.Writer) error {
	event, err := given.signable(stdin)
	if err != nil {
		return err
	}
	sender := &sender{
		client: http.Client{
			Timeout: given.timeout,
			// A redirect would carry the signed event to a place nobody named.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		url: given.url,
	}
	refused := false
	for range given.repeat {
		event.Now = time.Now()
		answer, err := sender.send(ctx, event)
		if err != nil {
			return err
		}
		refused = refused || answer.Status/100 != 2
		if err := answer.write(stdout, *given.format); err != nil {
			return err
		}
	}
	if refused {
		return exit.Silent(exit.Failure)
	}
	return nil
}

// signable is the event that the flags describe.
func (o options) signable(stdin io.Reader) (sign.Event, error) {
	event := sign.Event{Provider: o.provider, URL: o.url, Type: o.event, ID: o.id}
	preset, found := verify.Lookup(o.provider)
	if !found {
		return event, exit.Usagef("%w", providers.Unknown(o.provider))
	}
	if !slices.Contains(sign.Providers(), preset.Name) {
		return event, exit.Usagef("requests of %s cannot be signed here, only the provider has the key; "+
			"these can: %s", preset.Name, strings.Join(sign.Providers(), ", "))
	}
	if o.repeat < 1 {
		return event, exit.Usagef("--repeat: %d must be at least 1", o.repeat)
	}
	if _, err := input.URL("url", o.url); err != nil {
		return event, err
	}
	if o.configured != "" {
		if _, err := input.URL("signed-url", o.configured); err != nil {
			return event, err
		}
		event.URL = o.configured
	}
	var err error
	if event.Options, err = input.Pairs("option", o.settings); err != nil {
		return event, err
	}
	if event.Body, err = input.Body("body-file", o.bodyFile, stdin); err != nil {
		return event, err
	}
	return event, o.readSecret(&event, preset.Secret)
}

func (o options) readSecret(event *sign.Event, need verify.SecretNeed) error {
	if o.secretFile == "" {
		if need != verify.SecretNone {
			return exit.Usagef("--secret-file: %s signs its requests, so a secret is needed", o.provider)
		}
		return nil
	}
	keys, err := input.Secrets("secret-file", []string{o.secretFile})
	if err != nil {
		return err
	}
	event.Secret = keys[0].Value
	return nil
}

// answer is what one request was answered.
type answer struct {
	Status        int     `json:"status"`
	LatencyMillis float64 `json:"latencyMillis"`
	Body          string  `json:"body"`
}

func (a answer) write(out io.Writer, format output.Format) error {
	if format == output.JSON {
		return output.WriteJSONLine(out, a)
	}
	_, err := fmt.Fprintf(out, "%d %s\n%s\n", a.Status, http.StatusText(a.Status), strings.TrimRight(a.Body, "\n"))
	return err
}
