//go:build unix

package queue

import "syscall"

// volumeUsed is the used part of the volume that holds the store; 0 if unknown.
func (r *Redis) volumeUsed() float64 {
	if r.options.DataDir == "" {
		return 0
	}
	var volume syscall.Statfs_t
	if syscall.Statfs(r.options.DataDir, &volume) != nil || volume.Blocks == 0 || volume.Blocks == volume.Bfree {
		return 0
	}
	// What is neither used nor available is kept for root, or lies behind a quota:
	// it says nothing about how full the volume is for the store.
	used := float64(volume.Blocks - volume.Bfree)
	return used / (used + float64(volume.Bavail))
}
