// Package input reads what people hand to commands: key files, bodies,
// headers and options. Its errors name the flag.
//
// It imports route for the type that keeps key material out of logs, and the
// standard library.
package input

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/receiver/route"
)

// SecretHelp explains the rule of [Secrets] in help texts.
const SecretHelp = "one newline at the end, as editors and echo leave it, is not part of the secret"

// Secrets reads key files; a key is named after its file.
func Secrets(flag string, files []string) ([]route.Key, error) {
	var keys []route.Key
	for _, file := range files {
		value, err := os.ReadFile(file)
		if err != nil {
			return nil, exit.Usagef("--%s: %w", flag, err)
		}
		value = trimNewline(value)
		if len(value) == 0 {
			return nil, exit.Usagef("--%s: %s is empty", flag, file)
		}
		keys = append(keys, route.Key{Name: filepath.Base(file), Value: value})
	}
	return keys, nil
}

func trimNewline(value []byte) []byte {
	trimmed, found := bytes.CutSuffix(value, []byte("\n"))
	if found {
		trimmed = bytes.TrimSuffix(trimmed, []byte("\r"))
	}
	return trimmed
}

// Body reads a file byte for byte; "-" is standard input and "" stands for no body.
func Body(flag, file string, stdin io.Reader) ([]byte, error) {
	var body []byte
	var err error
	switch file {
	case "":
		return nil, nil
	case "-":
		body, err = io.ReadAll(stdin)
	default:
		body, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, exit.Usagef("--%s: %w", flag, err)
	}
	if body == nil {
		body = []byte{}
	}
	return body, nil
}

// Headers reads lines of the form "Name: value".
func Headers(flag string, lines []string) (http.Header, error) {
	header := http.Header{}
	for _, line := range lines {
		name, value, found := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !found || name == "" {
			return nil, exit.Usagef("--%s: %q must be written as 'Name: value'", flag, line)
		}
		header.Add(name, strings.Trim(value, " \t"))
	}
	return header, nil
}

// Pairs reads options of the form name=value.
func Pairs(flag string, texts []string) (map[string]string, error) {
	pairs := map[string]string{}
	for _, text := range texts {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, exit.Usagef("--%s: %q must be written as name=value", flag, text)
		}
		if _, twice := pairs[name]; twice {
			return nil, exit.Usagef("--%s: %s is given twice", flag, name)
		}
		pairs[name] = value
	}
	return pairs, nil
}

// URL reads an absolute http or https URL.
func URL(flag, text string) (*url.URL, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return nil, exit.Usagef("--%s: %w", flag, err)
	}
	if parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return nil, exit.Usagef("--%s: %q must be an http:// or https:// URL", flag, text)
	}
	return parsed, nil
}

// Forwards reads routes of the form namespace/service=URL.
func Forwards(flag string, texts []string) (map[string]*url.URL, error) {
	forwards := map[string]*url.URL{}
	pairs, err := Pairs(flag, texts)
	if err != nil {
		return nil, err
	}
	for service, text := range pairs {
		namespace, name, found := strings.Cut(service, "/")
		if !found || namespace == "" || name == "" {
			return nil, exit.Usagef("--%s: %q must be written as namespace/service=URL", flag, service+"="+text)
		}
		target, err := URL(flag, text)
		if err != nil {
			return nil, exit.Usagef("%w (for %s)", err, service)
		}
		forwards[service] = target
	}
	return forwards, nil
}
