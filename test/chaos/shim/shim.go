// Package shim loads a small library into redis-server that knows what its disk
// has promised and can break it: it remembers the length up to which each file
// was synchronised, delays or fails synchronising, and moves the clock.
//
// It imports the standard library and needs a C compiler when it is used.
package shim

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

//go:embed source/shim.c
var source []byte

// The page has these four numbers and then pairs of inode and length.
const (
	offsetDelay = int64(8 * iota)
	offsetFail
	offsetClock
	offsetCalls
	offsetFiles
	files    = 64
	pageSize = offsetFiles + 16*files
)

// Library is the compiled library.
type Library struct{ path string }

// Build compiles the library into a folder. The error says why faults of disk
// and clock cannot be injected on this machine.
func Build(folder string) (*Library, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("preloading a library is known for Linux only")
	}
	compiler, err := exec.LookPath("cc")
	if err != nil {
		return nil, errors.New("there is no C compiler (cc)")
	}
	code := filepath.Join(folder, "shim.c")
	if err := os.WriteFile(code, source, 0o600); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, "shim.so")
	out, err := exec.Command(compiler, "-O2", "-shared", "-fPIC", "-o", path, code, "-ldl").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s does not compile the library: %w: %s", compiler, err, out)
	}
	return &Library{path: path}, nil
}

// Page is what the library of one server and this process share.
type Page struct {
	path    string
	file    *os.File
	library *Library
}

// Page makes a page in a file.
func (l *Library) Page(path string) (*Page, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err == nil {
		err = file.Truncate(pageSize)
	}
	if err != nil {
		return nil, err
	}
	return &Page{path: path, file: file, library: l}, nil
}

// Env is what the server's environment needs.
func (p *Page) Env() []string {
	return []string{"LD_PRELOAD=" + p.library.path, "CHAOS_PAGE=" + p.path}
}

// Close lets go of the page.
func (p *Page) Close() { p.file.Close() }

// Delay makes every synchronisation take longer.
func (p *Page) Delay(d time.Duration) error { return p.write(offsetDelay, d.Microseconds()) }

// Fail makes every synchronisation fail with an input/output error, or not.
func (p *Page) Fail(on bool) error {
	if on {
		return p.write(offsetFail, 1)
	}
	return p.write(offsetFail, 0)
}

// Ahead moves the server's clock; negative is backwards, 0 is right. Whole
// seconds are moved.
func (p *Page) Ahead(d time.Duration) error { return p.write(offsetClock, d.Microseconds()) }

// Calls counts the synchronisations so far; 0 after some time of work means that
// the library is not in the server.
func (p *Page) Calls() (int64, error) { return p.read(offsetCalls) }

// Synchronised is the length up to which a file was synchronised, 0 if never.
func (p *Page) Synchronised(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	status, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, errors.New("the inode of a file is not known here")
	}
	for i := range int64(files) {
		inode, err := p.read(offsetFiles + 16*i)
		if err != nil {
			return 0, err
		}
		if uint64(inode) == status.Ino {
			return p.read(offsetFiles + 16*i + 8)
		}
	}
	return 0, nil
}

// Forget empties the table of files, of which there is a limited number.
func (p *Page) Forget() error {
	_, err := p.file.WriteAt(make([]byte, 16*files), offsetFiles)
	return err
}

func (p *Page) write(offset, value int64) error {
	_, err := p.file.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(value)), offset)
	return err
}

func (p *Page) read(offset int64) (int64, error) {
	var buffer [8]byte
	if _, err := p.file.ReadAt(buffer[:], offset); err != nil {
		return 0, err
	}
	return int64(binary.NativeEndian.Uint64(buffer[:])), nil
}
