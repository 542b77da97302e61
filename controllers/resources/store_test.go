package resources_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/postern-dev/postern/controllers/resources"
	"github.com/postern-dev/postern/test/wait"
)

// TestStoreStarts starts a real server with the very arguments of the sidecar
// and asks it with the very probe.
func TestStoreStarts(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatalf("redis-server is not installed (Debian: apt-get install redis-server): %v", err)
	}
	objects := resources.Receiver(inputs(t)["default"], settings)
	containers := find[appsv1.Deployment](t, "Deployment", objects).Spec.Template.Spec.InitContainers
	store := containers[slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == resources.ContainerStore })]
	run, data := t.TempDir(), t.TempDir()
	here := func(arguments []string) []string {
		local := make([]string, len(arguments))
		for i, argument := range arguments {
			argument = strings.Replace(argument, "/run/postern", run, 1)
			if argument == "/data" {
				argument = data
			}
			local[i] = argument
		}
		return local
	}
	server := exec.CommandContext(t.Context(), program, here(store.Args)...)
	output := &strings.Builder{}
	server.Stdout, server.Stderr = output, output
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan struct{})
	go func() { _ = server.Wait(); close(stopped) }()
	t.Cleanup(func() { _ = server.Process.Kill(); <-stopped })

	probe := here(store.StartupProbe.Exec.Command)
	wait.For(t, "the probe", func() error {
		select {
		case <-stopped:
			t.Fatalf("server stopped:\n%s", output)
		default:
		}
		answer, err := exec.CommandContext(t.Context(), probe[0], probe[1:]...).CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, answer)
		}
		return err
	})
	socket := filepath.Join(run, "redis.sock")
	denied, err := exec.CommandContext(t.Context(), "redis-cli", "-e", "-s", socket, "ping").CombinedOutput()
	if err == nil || !strings.Contains(string(denied), "NOAUTH") {
		t.Errorf("the default user may ping (%s, %v), want it off", denied, err)
	}
	login := []string{"-e", "-s", socket, "--user", "postern", "--pass", "none", "--no-auth-warning"}
	for _, forbidden := range []string{"FLUSHALL", "CONFIG SET appendfsync no", "KEYS *", "SHUTDOWN"} {
		arguments := append(slices.Clone(login), strings.Fields(forbidden)...)
		answer, err := exec.CommandContext(t.Context(), "redis-cli", arguments...).CombinedOutput()
		if err == nil || !strings.Contains(string(answer), "NOPERM") {
			t.Errorf("%s answered %q, want NOPERM", forbidden, answer)
		}
	}
}
