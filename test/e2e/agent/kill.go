package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// killPod ends every process of a pod at once and without a signal that it
// could catch, as the loss of its node does. It needs the node's processes:
// a pod with hostPID whose user is root.
func killPod(w http.ResponseWriter, r *http.Request) {
	uid := r.URL.Query().Get("pod")
	if len(uid) < 36 {
		http.Error(w, "name the pod by its uid", http.StatusBadRequest)
		return
	}
	processes, err := processesOf(uid)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for _, process := range processes {
		if err := syscall.Kill(process, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			http.Error(w, fmt.Sprintf("kill %d: %v", process, err), http.StatusInternalServerError)
			return
		}
	}
	answer(w, len(processes))
}

// processesOf finds the processes whose cgroup is the pod's. Its name has the
// uid in it, by the systemd driver with underscores.
func processesOf(uid string) ([]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		cgroup := strings.ReplaceAll(string(data), "_", "-")
		process, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err == nil && strings.Contains(cgroup, "pod"+uid) {
			found = append(found, process)
		}
	}
	return found, nil
}
