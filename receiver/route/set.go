package route

// Set is what a source of routes hands on: all endpoints at one moment.
type Set struct {
	// Routes are those that can be read.
	Routes []*Endpoint
	// Problems are what is wrong with those whose current content is not among
	// Routes, by uid.
	Problems map[string]error
	// Provisional sets may lack endpoints that exist, because they are older than
	// this process; the first that is not follows as soon as it can be had.
	Provisional bool
	// Tombstones are the UIDs of endpoints that were deleted. Their events are to
	// be purged.
	Tombstones []string
	// Installation identifies the installation that the set is of; empty when its
	// manager does not tell. A store belongs to one installation.
	Installation string
}
