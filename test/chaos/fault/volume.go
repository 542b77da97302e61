package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/postern-dev/postern/test/chaos/traffic"
	"github.com/postern-dev/postern/test/chaos/world"
)

// F4: the disk fills.
var (
	FillDisk = &Kind{Name: "F4 disk above the watermark", Lane: Processes, Needs: smallDisk, Inject: fillDisk}
	FullDisk = &Kind{
		Name: "F4 disk full to the last byte", Lane: Processes, Excuses: duplicates, Needs: smallDisk, Inject: fullDisk,
	}
)

// F6: the memory fills.
var (
	FillMemory = &Kind{Name: "F6 memory full of events", Lane: Processes, Inject: fillMemory}
	ErrorPages = &Kind{Name: "F6 memory full beside error pages of 4 KiB", Lane: Processes, Inject: errorPages}
	FullMemory = &Kind{Name: "F6 memory full to maxmemory", Lane: Processes, Inject: fullMemory}
)

const (
	// overWatermark is how full the disk is made, where 80 % are the watermark.
	overWatermark = 0.88
	// noticing is when a receiver must have noticed; it looks once a second.
	noticing = 2 * time.Second
	ballast  = "ballast"
)

func smallDisk(e *Env) string {
	if e.Volume == "" {
		return "a small disk can be mounted by root on Linux only"
	}
	return ""
}

func fillDisk(ctx context.Context, i *Injection) error {
	i.Begin("disk", "to %.0f %%", 100*overWatermark)
	path := filepath.Join(i.Volume, ballast)
	defer os.Remove(path)
	if err := fill(path, i.Volume, overWatermark); err != nil {
		return err
	}
	return i.demandRefusal(ctx, "its disk is past the watermark")
}

func fullDisk(ctx context.Context, i *Injection) error {
	i.Begin("disk", "to the last byte")
	for _, s := range i.World.Stores {
		s.MayEnd(true)
		defer s.MayEnd(false)
	}
	path := filepath.Join(i.Volume, ballast)
	err := fill(path, i.Volume, 1)
	rest(ctx, i.between(500*time.Millisecond, 2*time.Second))
	return errors.Join(err, os.Remove(path), i.World.AwaitReady(healing(ctx)))
}

// fill writes a file until a part of the volume is used.
func fill(path, volume string, part float64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, 64<<10)
	for {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(volume, &disk); err != nil {
			return err
		}
		if part < 1 && 1-float64(disk.Bavail)/float64(disk.Blocks) >= part {
			return nil
		}
		_, err := file.Write(block)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			return nil
		case err != nil && !errors.Is(err, io.ErrShortWrite):
			return err
		}
	}
}

// demandRefusal wants that nothing is acknowledged any more.
func (i *Injection) demandRefusal(ctx context.Context, why string) error {
	if !rest(ctx, noticing) {
		return nil
	}
	before := i.Senders.Totals().Acked
	if !rest(ctx, time.Second) {
		return nil
	}
	if got := i.Senders.Totals().Acked - before; got > 0 {
		return fmt.Errorf("%d events were acknowledged within a second although %s", got, why)
	}
	return nil
}

// fillMemory lets events queue until the store takes no more, and then be
// delivered: a full store must drain.
func fillMemory(ctx context.Context, i *Injection) error {
	i.Begin("redis", "with events that no target takes")
	defer i.mend(i.Targets...)
	i.fillWithEvents(ctx)
	i.mend(i.Targets...)
	return i.demandDeliveries(ctx, "the store is full of events")
}

const (
	// pageBytes is as much of an answer as is kept.
	pageBytes = 4 << 10
	// writing is how long pages come. All events that wait can get one.
	writing = 8 * time.Second
)

// errorPages has every target answer with a page when the store is full of events
// that have none.
func errorPages(ctx context.Context, i *Injection) error {
	i.Begin("redis", "with events, and then with what targets answer to each")
	defer i.mend(i.Targets...)
	i.fillWithEvents(ctx)
	i.behave(traffic.Behaviour{Kind: traffic.Fail, Status: 422, Page: pageBytes})
	rest(ctx, writing)
	i.mend(i.Targets...)
	return i.demandDeliveries(ctx, "the store is full of events and pages")
}

// fillWithEvents has targets refuse until the store takes no more events.
func (i *Injection) fillWithEvents(ctx context.Context) {
	i.behave(traffic.Behaviour{Kind: traffic.Fail, Status: 503})
	for end := time.Now().Add(world.Patience); time.Now().Before(end); {
		before := i.Senders.Totals().Acked
		if !rest(ctx, time.Second) || i.Senders.Totals().Acked == before {
			return
		}
	}
}

// fullMemory leaves no byte for anything: what the worker writes must work even so.
func fullMemory(ctx context.Context, i *Injection) error {
	s := i.World.Stores[0]
	i.Begin(s.Name, "with what is not Postern's")
	i.behave(traffic.Behaviour{Kind: traffic.Fail, Status: 503})
	defer i.mend(i.Targets...)
	if !rest(ctx, gathering) { // events that need the worker
		return nil
	}
	keys, err := fillKeys(healing(ctx), s)
	i.mend(i.Targets...)
	err = errors.Join(err, i.demandDeliveries(ctx, "the store is at maxmemory"))
	for key := range keys {
		_, failed := s.Do(healing(ctx), "DEL", ballast+strconv.Itoa(key))
		err = errors.Join(err, failed)
	}
	return errors.Join(err, i.World.AwaitReady(healing(ctx)))
}

// mostKeys bounds the ballast.
const mostKeys = 100_000

// fillKeys writes keys, smaller and smaller ones, until the store takes no more.
func fillKeys(ctx context.Context, s *world.Store) (count int, err error) {
	for size := 1 << 20; size >= 1<<10; {
		_, err := s.Do(ctx, "SET", ballast+strconv.Itoa(count), strings.Repeat("x", size))
		switch {
		case err == nil && count < mostKeys:
			count++
		case err == nil || strings.Contains(err.Error(), "OOM"):
			size /= 8
		default:
			return count, err
		}
	}
	return count, nil
}

// demandDeliveries wants that something arrives although the store is full.
func (i *Injection) demandDeliveries(ctx context.Context, why string) error {
	before := i.delivered()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if !rest(ctx, 50*time.Millisecond) || i.delivered() > before {
			return nil
		}
	}
	return fmt.Errorf("nothing was delivered for ten seconds although %s", why)
}

func (e *Env) delivered() int64 {
	var all int64
	for _, t := range e.Targets {
		all += t.Received()
	}
	return all
}
