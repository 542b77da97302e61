package main

import (
	"sync/atomic"

	"github.com/postern-dev/postern/test/local"
)

// start runs a program with a log in the demo's folder. One that ends before it
// is stopped ends the demo.
func (s *stage) start(name, program string, arguments ...string) (*local.Process, error) {
	file := s.path(name + ".log")
	s.logs = append(s.logs, file)
	p, err := local.Start(local.Command{Name: name, Program: program, Args: arguments, Dir: s.folder, Log: file})
	if err != nil {
		return nil, err
	}
	var stopping atomic.Bool
	go func() {
		<-p.Ended()
		if !stopping.Load() {
			s.died <- name
		}
	}()
	s.undo = append(s.undo, func() {
		stopping.Store(true)
		p.Stop()
	})
	return p, nil
}
