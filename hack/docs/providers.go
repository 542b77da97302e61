package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/verify"
)

// part is a generated part of a page.
type part struct {
	name  string
	write func([]verify.Preset) string
}

// providers rewrites the generated parts of the page of built-in providers.
func providers(page string, presets []verify.Preset) error {
	return rewriteParts(page, presets,
		part{"count", count}, part{"providers", presetTable}, part{"identities", identityTable},
		part{"handshakes", handshakeTable},
		part{"aliases", aliasTable}, part{"unconfirmed", unconfirmedTable}, part{"steps", steps})
}

// senders rewrites the table of proofs that do not cover the body.
func senders(page string, presets []verify.Preset) error {
	return rewriteParts(page, presets, part{"senders", senderTable})
}

func rewriteParts(page string, presets []verify.Preset, parts ...part) error {
	data, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	text := string(data)
	for _, part := range parts {
		if text, err = splice(text, part.name, part.write(presets)); err != nil {
			return fmt.Errorf("%s: %w", page, err)
		}
	}
	if text == string(data) {
		return nil
	}
	return os.WriteFile(page, []byte(text), 0o644) //nolint:gosec // documentation is public
}

func count(presets []verify.Preset) string {
	aliases, handshakes := 0, 0
	for _, p := range presets {
		aliases += len(p.Aliases)
		if p.Handshake != "" {
			handshakes++
		}
	}
	return fmt.Sprintf("%d providers, known under %d names; %d of them with a handshake.\n",
		len(presets), len(presets)+aliases, handshakes)
}

func presetTable(presets []verify.Preset) string {
	var out strings.Builder
	out.WriteString("| provider | proof | body signed | headers | secret, options | delivery id | id signed | " +
		"window | ack limit |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range presets {
		row := []string{
			fmt.Sprintf("[`%s`](#%s)", p.Name, p.Name), string(p.Class), yes(p.BodySigned),
			codes(p.Headers), needs(&p), alternatives(p.DeliveryID), yes(p.IDSigned), span(p.Window()), span(p.AckLimit),
		}
		writeRow(&out, row)
	}
	return out.String()
}

func identityTable(presets []verify.Preset) string {
	var out strings.Builder
	out.WriteString("| provider | identity | told apart by | evidence | retried |\n|---|---|---|---|---|\n")
	for _, p := range presets {
		writeRow(&out, []string{
			"`" + p.Name + "`", string(p.Identity), p.ToldApartBy(), string(p.Evidence), p.RetriedWords(),
		})
	}
	return out.String()
}

func handshakeTable(presets []verify.Preset) string {
	var out strings.Builder
	out.WriteString("| provider | methods | request and answer |\n|---|---|---|\n")
	for _, p := range presets {
		if p.Handshake != "" {
			writeRow(&out, []string{"`" + p.Name + "`", strings.Join(p.Methods, ", "), p.Handshake})
		}
	}
	return out.String()
}

func senderTable(presets []verify.Preset) string {
	var out strings.Builder
	out.WriteString("| provider | proof | where it stands |\n|---|---|---|\n")
	for _, p := range presets {
		if p.BodySigned || p.Class == verify.ClassNone {
			continue
		}
		where := codes(p.Headers)
		if where == "" {
			where = "body or URL"
		}
		writeRow(&out, []string{"`" + p.Name + "`", string(p.Class), where})
	}
	return out.String()
}

func aliasTable(presets []verify.Preset) string {
	var out strings.Builder
	out.WriteString("| provider | other names |\n|---|---|\n")
	for _, p := range presets {
		if len(p.Aliases) > 0 {
			writeRow(&out, []string{"`" + p.Name + "`", codes(p.Aliases)})
		}
	}
	return out.String()
}

// steps are a section for each provider, the text of `postern providers NAME`.
func steps(presets []verify.Preset) string {
	var out strings.Builder
	for i, p := range presets {
		if i > 0 {
			out.WriteString("\n")
		}
		fmt.Fprintf(&out, "### %s\n\n[%s](%s)\n\n", p.Name, p.DisplayName, p.DocsURL)
		fmt.Fprintf(&out, "Told apart by %s. Retried %s. A duplicate: %s.%s\n\n",
			p.ToldApartBy(), p.RetriedWords(), p.DuplicateWords(), sources(p.Sources))
		for j, step := range p.SetUp {
			fmt.Fprintf(&out, "%d. %s\n", j+1, step)
		}
		for _, option := range slices.Concat(p.NeededOptions, p.OptionalOptions) {
			fmt.Fprintf(&out, "- `%s`: %s\n", option.Name, option.Description)
		}
	}
	return out.String()
}

// sources links to what the facts were read from.
func sources(pages []string) string {
	links := make([]string, len(pages))
	for i, page := range pages {
		links[i] = fmt.Sprintf("[%d](%s)", i+1, page)
	}
	if len(links) == 0 {
		return ""
	}
	return " Known from " + strings.Join(links, ", ") + "."
}

func unconfirmedTable(presets []verify.Preset) string {
	var out strings.Builder
	out.WriteString("| provider | not confirmed |\n|---|---|\n")
	for _, p := range presets {
		if p.Unconfirmed != "" {
			writeRow(&out, []string{"`" + p.Name + "`", p.Unconfirmed})
		}
	}
	return out.String()
}

func writeRow(out *strings.Builder, cells []string) {
	for _, cell := range cells {
		out.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
	}
	out.WriteString("|\n")
}

// needs says what an endpoint must or may configure.
func needs(p *verify.Preset) string {
	words := []string{strings.ToLower(string(p.Secret))}
	if p.Secret == verify.SecretNone {
		words[0] = "no secret"
	}
	for _, option := range p.NeededOptions {
		words = append(words, "**`"+option.Name+"`**")
	}
	for _, option := range p.OptionalOptions {
		words = append(words, "`"+option.Name+"`")
	}
	return strings.Join(words, ", ")
}

func codes(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = "`" + word + "`"
	}
	return strings.Join(quoted, ", ")
}

// alternatives writes a template; "or" stands for its bar, which tables use.
func alternatives(template string) string {
	if template == "" {
		return ""
	}
	return codes(strings.Split(template, " | "))
}

func span(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

func yes(holds bool) string {
	if holds {
		return "yes"
	}
	return "no"
}
