package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/postern-dev/postern/test/e2e/wire"
)

// runPostern runs the binary beside this one with the files that it needs.
func runPostern(w http.ResponseWriter, r *http.Request) {
	var order wire.Run
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	folder, err := os.MkdirTemp("", "run-")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer os.RemoveAll(folder)
	for name, content := range order.Files {
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(name)), content, 0o600); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	var out, complaint bytes.Buffer
	command := exec.CommandContext(ctx, "/postern", order.Arguments...)
	command.Dir, command.Stdout, command.Stderr = folder, &out, &complaint
	result := wire.Result{}
	var exit *exec.ExitError
	if err := command.Run(); errors.As(err, &exit) {
		result.Code = exit.ExitCode()
	} else if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	result.Output, result.Complaint = out.String(), complaint.String()
	answer(w, result)
}
