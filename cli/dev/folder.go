package dev

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/manifests"
	"github.com/postern-dev/postern/cli/routes"
	"github.com/postern-dev/postern/receiver/route"
	"github.com/postern-dev/postern/receiver/server"
)

// installation is what stores of `postern dev` belong to: it must never serve on
// the store of a cluster, nor a cluster on its.
const installation = "postern-dev"

// folder is the source of routes: files that are compiled again whenever they change.
type folder struct {
	files     []string
	namespace string
	stdin     []byte
	watcher   *watcher
	stderr    io.Writer
}

func newFolder(given *options, stdin io.Reader, stderr io.Writer) (*folder, error) {
	f := &folder{files: given.files, namespace: given.namespace, stderr: stderr}
	if slices.Contains(f.files, manifests.Stdin) {
		var err error
		if f.stdin, err = io.ReadAll(stdin); err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
	}
	var err error
	f.watcher, err = newWatcher(f.files)
	return f, err
}

func (f *folder) close() { f.watcher.close() }

// compile reads and compiles everything as it is now.
func (f *folder) compile(externalURL string) (routes.Result, error) {
	set, err := manifests.Load(f.files, manifests.Options{Namespace: f.namespace, Stdin: bytes.NewReader(f.stdin)})
	if err != nil {
		return routes.Result{}, err
	}
	result := routes.Compile(set, routes.Options{ExternalURL: externalURL, RequireSecrets: true})
	if len(result.Problems) == 0 && len(result.Routes) == 0 {
		return result, errNothing
	}
	return result, nil
}

// check fails when the files cannot be served at all.
func (f *folder) check(externalURL string) error {
	result, err := f.compile(externalURL)
	if err != nil {
		return exit.Usagef("%w", err)
	}
	for _, note := range result.Notes {
		f.say("note: %s", note)
	}
	if len(result.Problems) == 0 {
		return nil
	}
	f.complain(result.Problems)
	return exit.Silent(exit.Failure)
}

// source compiles now and after every change; what is broken is explained and
// leaves the last good routes in force.
func (f *folder) source(base interface{ Load() *string }) server.Source {
	return func(ctx context.Context, emit func(route.Set)) error {
		var inForce []byte
		for {
			result, err := f.compile(*base.Load())
			switch {
			case err != nil:
				f.say("%v", err)
				f.say("The last good configuration goes on.")
			case len(result.Problems) > 0:
				f.complain(result.Problems)
				f.say("The last good configuration goes on.")
			default:
				documents, err := marshal(result.Routes)
				if err != nil {
					return err
				}
				if !bytes.Equal(documents, inForce) {
					emit(route.Set{Routes: result.Routes, Installation: installation})
				}
				inForce = documents
			}
			if err := f.watcher.wait(ctx); err != nil {
				return err
			}
		}
	}
}

// marshal tells sets of routes apart, key material included.
func marshal(all []*route.Endpoint) ([]byte, error) {
	var documents []byte
	for _, one := range all {
		document, err := one.Marshal()
		if err != nil {
			return nil, err
		}
		documents = append(append(documents, document...), '\n')
	}
	return documents, nil
}

func (f *folder) complain(problems []manifests.Problem) {
	lines := make([]string, len(problems))
	for i, problem := range problems {
		lines[i] = problem.String()
	}
	f.say("%s", strings.Join(lines, "\n"))
}

func (f *folder) say(format string, arguments ...any) {
	_, _ = fmt.Fprintf(f.stderr, format+"\n", arguments...)
}
