// Package output writes the answers of commands: aligned tables for people,
// JSON for programs, colours on terminals only.
//
// It knows no domain types and imports pflag and x/term beside the standard library.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/postern-dev/postern/cli/exit"
)

// Format is how an answer is written.
type Format string

// Formats.
const (
	Text Format = "text"
	JSON Format = "json"
)

// Flag binds the -o/--output flag.
func Flag(flags *pflag.FlagSet) *Format {
	format := Text
	flags.VarP(&format, "output", "o", "output format: text or json")
	return &format
}

// String returns the format's name.
func (f *Format) String() string { return string(*f) }

// Type names the kind of value in help texts.
func (f *Format) Type() string { return "format" }

// Set accepts the name of a format.
func (f *Format) Set(text string) error {
	switch format := Format(text); format {
	case Text, JSON:
		*f = format
		return nil
	}
	return exit.Usagef("%q is not an output format: use text or json", text)
}

// WriteJSON writes one indented JSON document. Characters that HTML would
// need escaped stay as they are.
func WriteJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// WriteJSONLine writes one JSON document on one line.
func WriteJSONLine(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// WriteTable writes aligned columns under upper-case headings.
func WriteTable(w io.Writer, columns []string, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, row := range append([][]string{columns}, rows...) {
		if _, err := fmt.Fprintln(table, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return table.Flush()
}

// IsTerminal tells whether a person is watching w, so that colours make sense.
// NO_COLOR turns them off.
func IsTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && term.IsTerminal(int(file.Fd()))
}
