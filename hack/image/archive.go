package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// nonroot is the user and group of distroless' nonroot images.
const nonroot = "65532:65532"

const passwd = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"

// image is what goes into the archive.
type image struct {
	tag, platform, version, entrypoint string
	layer                              []byte
}

// entry is one file or, with a slash at the end of its name, one folder.
type entry struct {
	name string
	mode int64
	data []byte
}

// buildLayer returns the image's only layer.
func buildLayer(certificates []byte, binaries []string) ([]byte, error) {
	entries := []entry{
		{name: "etc/", mode: 0o755},
		{name: "etc/passwd", mode: 0o644, data: []byte(passwd)},
		{name: "etc/group", mode: 0o644, data: []byte("root:x:0:\nnonroot:x:65532:\n")},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, data: certificates},
		{name: "tmp/", mode: 0o1777},
	}
	for _, binary := range binaries {
		data, err := os.ReadFile(binary)
		if err != nil {
			return nil, fmt.Errorf("read binary: %w", err)
		}
		entries = append(entries, entry{name: filepath.Base(binary), mode: 0o755, data: data})
	}
	return pack(entries)
}

// pack writes entries as a tar whose bytes depend on nothing else: owner root,
// times zero.
func pack(entries []entry) ([]byte, error) {
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.data)), Format: tar.FormatUSTAR}
		header.Typeflag = tar.TypeReg
		if strings.HasSuffix(e.name, "/") {
			header.Typeflag = tar.TypeDir
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("pack %s: %w", e.name, err)
		}
		if _, err := writer.Write(e.data); err != nil {
			return nil, fmt.Errorf("pack %s: %w", e.name, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// archive returns the image as `docker save` would write it.
func (i image) archive() ([]byte, error) {
	config, err := i.config()
	if err != nil {
		return nil, err
	}
	configName := digest(config) + ".json"
	layerName := path.Join(digest(i.layer), "layer.tar")
	manifest, err := json.Marshal([]map[string]any{{
		"Config":   configName,
		"RepoTags": []string{i.tag},
		"Layers":   []string{layerName},
	}})
	if err != nil {
		return nil, err
	}
	return pack([]entry{
		{name: "manifest.json", mode: 0o644, data: manifest},
		{name: configName, mode: 0o644, data: config},
		{name: layerName, mode: 0o644, data: i.layer},
	})
}

func (i image) config() ([]byte, error) {
	system, architecture, ok := strings.Cut(i.platform, "/")
	if !ok {
		return nil, fmt.Errorf("platform %q is not os/architecture, such as linux/amd64", i.platform)
	}
	labels := map[string]string{
		"org.opencontainers.image.title":    "postern",
		"org.opencontainers.image.source":   "https://github.com/postern-dev/postern",
		"org.opencontainers.image.licenses": "Apache-2.0",
	}
	if i.version != "" {
		labels["org.opencontainers.image.version"] = i.version
	}
	return json.Marshal(map[string]any{
		"os":           system,
		"architecture": architecture,
		"config": map[string]any{
			"Entrypoint": []string{i.entrypoint},
			"User":       nonroot,
			"WorkingDir": "/",
			"Env":        []string{"PATH=/", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"},
			"Labels":     labels,
		},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest(i.layer)}},
	})
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
