//go:build unix

package queue

import "syscall"

// volumeUsed is the used part of the volume that holds the store; 0 if unknown.
func (r *Redis) volumeUsed() float64 {
	if r.options.DataDir == "" {
		return 0
	}
	var volume syscall.Statfs_t
	if syscall.Statfs(r.options.DataDir, &volume) != nil || volume.Blocks == 0 {
		return 0
	}
	return 1 - float64(volume.Bavail)/float64(volume.Blocks)
}
