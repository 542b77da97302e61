package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/test/kube"
	"github.com/postern-dev/postern/test/local"
)

// patience bounds every wait. It is generous: a busy machine must not fail a
// demo that a quiet one passes in a second.
const patience = 60 * time.Second

// stage is everything that the acts share.
type stage struct {
	options
	folder  string
	plane   *local.Plane
	admin   client.Client
	targets map[string]*target // by service name
	http    *http.Client

	public   string // URL of the receiver's public port
	internal string // URL of its internal port

	githubSecret, stripeSecret, slackSecret string

	logs  []string // files, in the order of their processes' start
	undo  []func()
	died  chan string
	begun time.Time
}

func newStage(o options) (*stage, error) {
	folder, err := os.MkdirTemp("", "postern-demo-")
	if err != nil {
		return nil, err
	}
	s := &stage{
		options: o,
		folder:  folder,
		targets: map[string]*target{},
		http:    &http.Client{Timeout: 10 * time.Second},
		died:    make(chan string, 8),
	}
	s.undo = append(s.undo, func() { os.RemoveAll(folder) })
	for _, name := range []string{"builder", "billing"} {
		t, err := newTarget()
		if err != nil {
			s.clean()
			return nil, err
		}
		s.targets[name] = t
		s.undo = append(s.undo, t.stop)
	}
	return s, nil
}

// clean undoes everything, the newest first.
func (s *stage) clean() {
	for len(s.undo) > 0 {
		last := len(s.undo) - 1
		s.undo[last]()
		s.undo = s.undo[:last]
	}
}

// begin starts the clock of the next step.
func (s *stage) begin() { s.begun = time.Now() }

// shown prints a step that showed what it must, with the time that it took.
func (s *stage) shown(format string, args ...any) {
	fmt.Printf("  \033[32m✓\033[0m %s \033[2m(%s)\033[0m\n", fmt.Sprintf(format, args...), rounded(time.Since(s.begun)))
}

func headline(text string) { fmt.Printf("\n\033[1m%s\033[0m\n", text) }

func rounded(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}

// until waits for something, for as long as the demo is patient.
func until(ctx context.Context, what string, check func(context.Context) error) error {
	return kube.Until(ctx, what, patience, check)
}

func (s *stage) path(names ...string) string {
	return filepath.Join(append([]string{s.folder}, names...)...)
}

// write keeps a file that a process reads, for this user's eyes only.
func (s *stage) write(name string, data []byte) (string, error) {
	file := s.path(name)
	return file, os.WriteFile(file, data, 0o600)
}

// showLogs prints the ends of the processes' logs.
func (s *stage) showLogs() {
	const lines = 25
	for _, file := range s.logs {
		data, err := os.ReadFile(file)
		if err != nil || len(data) == 0 {
			continue
		}
		all := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
		tail := strings.Join(all[max(0, len(all)-lines):], "\n")
		fmt.Fprintf(os.Stderr, "\n--- the end of %s\n%s\n", filepath.Base(file), tail)
	}
}

func (s *stage) showHints() {
	kubeconfig := s.path("admin.kubeconfig")
	fmt.Printf(`
It stays up until Ctrl-C. In another terminal:

  export KUBECONFIG=%s PATH=%s:$PATH
  kubectl get webhookendpoints -A
  kubectl -n ci describe webhookendpoint github
  kubectl -n postern-system get webhookreceiver default -o yaml
  kubectl -n ci patch webhookendpoint github --type merge -p '{"spec":{"suspend":true}}'
  curl -i %s/ci/github -d '{}'
  curl %s/routes
  curl -s %s/metrics | grep ^postern_requests_total
  %s send github --secret-file %s --url %s/ci/github --event push
`, kubeconfig, s.assets, s.public, s.internal, s.internal, local.Absolute(s.postern), s.path("github.secret"), s.public)
}

// userConfig is the configuration of another user, as a kubeconfig file.
func (s *stage) userConfig(file, user string, groups ...string) (string, error) {
	data, err := s.plane.Kubeconfig(user, groups...)
	if err != nil {
		return "", err
	}
	return s.write(file, data)
}
