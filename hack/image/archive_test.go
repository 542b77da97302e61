package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestArchiveHoldsARunnableImage(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	binary := filepath.Join(folder, "postern")
	if err := os.WriteFile(binary, []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
	layer, err := buildLayer([]byte("certificates"), []string{binary})
	if err != nil {
		t.Fatal(err)
	}
	img := image{
		tag: "example.test/postern:v1", platform: "linux/arm64", version: "v1",
		entrypoint: "/postern", layer: layer,
	}
	data, err := img.archive()
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, data)

	var manifests []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	decode(t, files["manifest.json"], &manifests)
	if got := manifests[0].RepoTags[0]; got != img.tag {
		t.Errorf("tag = %q, want %q", got, img.tag)
	}
	var config struct {
		OS, Architecture string
		Config           struct {
			User       string
			Entrypoint []string
		}
		RootFS struct {
			DiffIDs []string `json:"diff_ids"`
		}
	}
	decode(t, files[manifests[0].Config], &config)
	if config.OS != "linux" || config.Architecture != "arm64" {
		t.Errorf("platform = %s/%s, want linux/arm64", config.OS, config.Architecture)
	}
	if config.Config.User != nonroot || config.Config.Entrypoint[0] != "/postern" {
		t.Errorf("user %q, entry point %v", config.Config.User, config.Config.Entrypoint)
	}
	stored := files[manifests[0].Layers[0]]
	if want := "sha256:" + digest(stored); config.RootFS.DiffIDs[0] != want {
		t.Errorf("diff id %s does not belong to the layer, %s", config.RootFS.DiffIDs[0], want)
	}
	inside := unpack(t, stored)
	if string(inside["postern"]) != "program" || string(inside["etc/ssl/certs/ca-certificates.crt"]) != "certificates" {
		t.Errorf("layer lacks the program or the certificates")
	}
}

func TestArchiveIsReproducible(t *testing.T) {
	t.Parallel()
	build := func() []byte {
		layer, err := buildLayer([]byte("certificates"), nil)
		if err != nil {
			t.Fatal(err)
		}
		data, err := image{tag: "a:b", platform: "linux/amd64", layer: layer}.archive()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if !bytes.Equal(build(), build()) {
		t.Error("equal inputs gave different bytes")
	}
}

func TestRunRefusals(t *testing.T) {
	t.Parallel()
	output := filepath.Join(t.TempDir(), "image.tar")
	cases := map[string]struct {
		args []string
		want string
	}{
		"no tag":      {[]string{"-o", output, "binary"}, "give -tag"},
		"no binary":   {[]string{"-o", output, "-tag", "a:b"}, "at least one binary"},
		"not there":   {[]string{"-o", output, "-tag", "a:b", "/no/such/binary"}, "read binary"},
		"no platform": {[]string{"-o", output, "-tag", "a:b", "-platform", "linux", os.Args[0]}, "os/architecture"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := run(c.args)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want one with %q", err, c.want)
			}
		})
	}
}

func unpack(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	reader := tar.NewReader(bytes.NewReader(data))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

func decode(t *testing.T, data []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
}
