package envflag_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/cli/envflag"
)

func lookup(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, found := variables[name]
		return value, found
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	flags := pflag.NewFlagSet("receiver", pflag.ContinueOnError)
	listen := flags.String("listen", ":8080", "")
	proxies := flags.StringSlice("trusted-proxies", nil, "")
	forward := flags.StringArray("forward", nil, "")
	grace := flags.Int("grace-period-seconds", 30, "")
	if err := flags.Parse([]string{"--listen=:9000"}); err != nil {
		t.Fatal(err)
	}
	err := envflag.Fill(flags, lookup(map[string]string{
		"POSTERN_LISTEN":               ":7000",
		"POSTERN_TRUSTED_PROXIES":      "10.0.0.0/8, 192.0.2.1",
		"POSTERN_FORWARD":              "ci/a=http://127.0.0.1:1,ci/b=http://127.0.0.1:2",
		"POSTERN_GRACE_PERIOD_SECONDS": "5",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if *listen != ":9000" {
		t.Errorf("a given flag lost to the environment: %q", *listen)
	}
	if want := []string{"10.0.0.0/8", "192.0.2.1"}; !slices.Equal(*proxies, want) {
		t.Errorf("trusted proxies are %q, want %q", *proxies, want)
	}
	if want := []string{"ci/a=http://127.0.0.1:1", "ci/b=http://127.0.0.1:2"}; !slices.Equal(*forward, want) {
		t.Errorf("forwards are %q, want %q", *forward, want)
	}
	if *grace != 5 {
		t.Errorf("grace period is %d, want 5", *grace)
	}
}

func TestFillNamesTheVariable(t *testing.T) {
	t.Parallel()
	flags := pflag.NewFlagSet("receiver", pflag.ContinueOnError)
	flags.Int("shutdown-delay-seconds", 5, "")
	err := envflag.Fill(flags, lookup(map[string]string{"POSTERN_SHUTDOWN_DELAY_SECONDS": "soon"}))
	if err == nil || !strings.Contains(err.Error(), "POSTERN_SHUTDOWN_DELAY_SECONDS") {
		t.Errorf("error is %v, want one that names the variable", err)
	}
}
