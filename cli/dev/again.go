package dev

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"time"

	"golang.org/x/term"

	"github.com/postern-dev/postern/receiver/server"
)

// again replays the last event whenever Enter is pressed.
type again struct {
	journal *journal
	keys    io.Reader
	stderr  io.Writer
}

// newAgain returns nil when nobody can press a key, or the files come that way.
func newAgain(given *options, journal *journal, stdin io.Reader, stderr io.Writer) *again {
	file, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || slices.Contains(given.files, "-") {
		return nil
	}
	return &again{journal: journal, keys: stdin, stderr: stderr}
}

// start says what Enter does and follows the keys. Nothing waits for its end:
// reading a terminal ends with the process.
func (a *again) start(ctx context.Context, running *server.Server) {
	if a == nil {
		return
	}
	_, _ = fmt.Fprintln(a.stderr, "Press Enter to deliver the last event again.")
	go a.follow(ctx, running)
}

// follow replays until the keys or ctx end.
func (a *again) follow(ctx context.Context, running *server.Server) {
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for lines := bufio.NewScanner(a.keys); lines.Scan() && ctx.Err() == nil; {
		if err := a.replay(ctx, client, localURL(running.InternalAddr())); err != nil {
			_, _ = fmt.Fprintf(a.stderr, "Not delivered again: %v\n", err)
		}
	}
}

func (a *again) replay(ctx context.Context, client *http.Client, internal string) error {
	endpoint, id, ok := a.journal.lastAccepted()
	if !ok {
		return fmt.Errorf("no event was accepted yet")
	}
	address := internal + "/events/" + url.PathEscape(id) + "/replay?" + url.Values{"endpoint": {endpoint}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("%s: %s", response.Status, text)
	}
	return nil
}
