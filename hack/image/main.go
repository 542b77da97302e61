// Command image writes a container image without a container engine, registry
// or network: static binaries, the CA certificates of this machine and a
// non-root user, as a docker-archive that docker, podman, ctr, kind and k3s
// load. Equal inputs give equal bytes.
//
//	go run ./hack/image -tag name:tag -o image.tar BINARY...
//
// The first binary is the entry point; each lands in the image's root.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "image: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	tag := flags.String("tag", "", "name:tag of the image")
	platform := flags.String("platform", "linux/amd64", "os/architecture of the binaries")
	version := flags.String("version", "", "value of the version label")
	output := flags.String("o", "image.tar", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *tag == "" || flags.NArg() == 0 {
		return fmt.Errorf("give -tag and at least one binary")
	}
	certificates, err := hostCertificates()
	if err != nil {
		return err
	}
	layer, err := buildLayer(certificates, flags.Args())
	if err != nil {
		return err
	}
	image := image{
		tag:        *tag,
		platform:   *platform,
		version:    *version,
		entrypoint: "/" + filepath.Base(flags.Arg(0)),
		layer:      layer,
	}
	data, err := image.archive()
	if err != nil {
		return err
	}
	if err := os.WriteFile(*output, data, 0o644); err != nil { //nolint:gosec // an image is no secret
		return err
	}
	fmt.Printf("%s: %s, %d KiB\n", *output, *tag, len(data)>>10)
	return nil
}

// certificateFiles are where distributions keep the CA bundle.
var certificateFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem",
}

func hostCertificates() ([]byte, error) {
	for _, file := range certificateFiles {
		if data, err := os.ReadFile(file); err == nil {
			return data, nil
		}
	}
	return nil, fmt.Errorf("no CA certificates in %v: install the package ca-certificates", certificateFiles)
}
