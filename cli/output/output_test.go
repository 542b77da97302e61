package output_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/cli/output"
)

func TestFlagRefusesUnknownFormats(t *testing.T) {
	t.Parallel()
	flags := pflag.NewFlagSet("list", pflag.ContinueOnError)
	format := output.Flag(flags)
	if *format != output.Text {
		t.Errorf("default is %q, want text", *format)
	}
	if err := flags.Parse([]string{"-o", "xml"}); err == nil || !strings.Contains(err.Error(), "text or json") {
		t.Errorf("error is %v, want one that names the formats", err)
	}
	if err := flags.Parse([]string{"-o", "json"}); err != nil || *format != output.JSON {
		t.Errorf("format is %q (%v), want json", *format, err)
	}
}

func TestWriteTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := output.WriteTable(&out, []string{"NAME", "ID"}, [][]string{{"github", "1"}, {"standard-webhooks", "2"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "NAME                ID\ngithub              1\nstandard-webhooks   2\n"
	if out.String() != want {
		t.Errorf("table is\n%s\nwant\n%s", out.String(), want)
	}
}

func TestWriteJSONKeepsCharacters(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := output.WriteJSONLine(&out, map[string]string{"url": "http://a/?b&c"}); err != nil {
		t.Fatal(err)
	}
	if want := "{\"url\":\"http://a/?b&c\"}\n"; out.String() != want {
		t.Errorf("line is %q, want %q", out.String(), want)
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if output.IsTerminal(file) || output.IsTerminal(&bytes.Buffer{}) {
		t.Error("a file or a buffer passes for a terminal")
	}
}
