package dataplane

import (
	"github.com/postern-dev/postern/receiver/deliver"
	"github.com/postern-dev/postern/receiver/queue"
)

// observers tells several; nil ones are skipped.
type observers []deliver.Observer

var _ deliver.Observer = observers{}

// Attempted implements [deliver.Observer].
func (o observers) Attempted(report deliver.Report) {
	o.each(func(one deliver.Observer) { one.Attempted(report) })
}

// Measured implements [deliver.Observer].
func (o observers) Measured(ref deliver.Ref, depth queue.Depth) {
	o.each(func(one deliver.Observer) { one.Measured(ref, depth) })
}

// DeadExpired implements [deliver.Observer].
func (o observers) DeadExpired(ref deliver.Ref, count int) {
	o.each(func(one deliver.Observer) { one.DeadExpired(ref, count) })
}

// BreakerChanged implements [deliver.Observer].
func (o observers) BreakerChanged(ref deliver.Ref, open bool) {
	o.each(func(one deliver.Observer) { one.BreakerChanged(ref, open) })
}

// Removed implements [deliver.Observer].
func (o observers) Removed(ref deliver.Ref) {
	o.each(func(one deliver.Observer) { one.Removed(ref) })
}

func (o observers) each(tell func(deliver.Observer)) {
	for _, one := range o {
		if one != nil {
			tell(one)
		}
	}
}
