//go:build !unix

package queue

// volumeUsed is the used part of the volume that holds the store; 0 means unknown.
func (r *Redis) volumeUsed() float64 { return 0 }
