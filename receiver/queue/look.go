package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/redis/rueidis"
)

var errClusterRights = errors.New("the store is a Cluster, and its user must be permitted " +
	"CLUSTER SLOTS and CLUSTER SHARDS")

// errNoReplica is of stores behind Sentinel.
var errNoReplica = errors.New("the primary that Sentinel names has no replica to confirm events: " +
	"start one, or set allowWeakDurability to lose events in failovers")

// look is what one server says of itself.
type look struct {
	serverInfo
	address string
	wrong   []Setting
	// slots are those of the whole Cluster as this server knows them.
	slots []slotRange
	// settingsErr and waitErr say why settings cannot be read, and why replicas
	// cannot be waited for.
	settingsErr, waitErr error
	// err means that the server does not answer.
	err error
}

// observe connects if need be and looks at every server.
func (r *Redis) observe(ctx context.Context) (*storeState, error) {
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	client, err := r.connect()
	if err != nil {
		return nil, err
	}
	looks, err := r.lookAround(ctx, client)
	if err != nil {
		return nil, err
	}
	if client.Mode() != rueidis.ClientModeCluster && looks[0].cluster {
		r.disconnect(client)
		return nil, errClusterRights
	}
	return r.judge(looks)
}

// lookAround asks all servers together. Those of a Cluster that do not answer
// are left out: they admit nothing either, and to come back they are dialled,
// which has them looked at again.
func (r *Redis) lookAround(ctx context.Context, client rueidis.Client) ([]*look, error) {
	var (
		group sync.WaitGroup
		looks []*look
	)
	if client.Mode() == rueidis.ClientModeCluster {
		// One server that is silent must not hold up the look at the others: steps
		// that wait for it still have most of their time.
		bounded, cancel := context.WithTimeout(ctx, r.options.StepTimeout*3/10)
		defer cancel()
		ctx = bounded
	}
	for address, node := range client.Nodes() {
		one := &look{address: address}
		looks = append(looks, one)
		group.Go(func() { one.at(ctx, address, node) })
	}
	group.Wait()
	var answered []*look
	var failed error
	for _, one := range looks {
		if _, refused := errors.AsType[*rueidis.RedisError](one.err); refused {
			return nil, one.err
		}
		if one.err != nil {
			failed = one.err
			continue
		}
		answered = append(answered, one)
	}
	if len(answered) == 0 {
		return nil, failed
	}
	return answered, nil
}

// at looks at one server. Settings are few and cheap to read, so that a CONFIG
// SET by hand is found within a second too.
func (l *look) at(ctx context.Context, address string, node rueidis.Client) {
	if l.serverInfo, l.err = askInfo(ctx, node); l.err != nil {
		return
	}
	l.wrong, l.settingsErr = checkNode(ctx, address, node)
	if l.aofWriteError {
		l.wrong = append(l.wrong, Setting{
			Node: address, Name: "aof_last_write_status", Value: "err", Want: "ok",
			Reason: "the last write of the append-only file failed; look at its volume",
		})
	}
	if l.cluster {
		l.slots = askSlots(ctx, node)
	}
	if l.primary && l.replicas > 0 {
		l.waitErr = mayWait(ctx, node)
	}
}

// judge makes one state of what the servers say.
func (r *Redis) judge(looks []*look) (*storeState, error) {
	next := &storeState{replicas: replicationOf(looks), shortages: map[string]shortage{}}
	var runIDs []string
	var wrong []Setting
	for _, one := range looks {
		if len(next.slots) == 0 {
			next.slots = one.slots
		}
		next.memory = max(next.memory, one.usedRatio())
		if one.primary {
			next.usedBytes += int64(one.used)
			next.historyBytes += one.historyBytes()
			short := shortage{
				memory: one.usedRatio(),
				want:   one.above(r.options.Watermark * yieldAbove), must: one.above(r.options.Watermark * forgetAbove),
			}
			next.shortages[one.address] = short
			next.want, next.must = next.want+short.want, next.must+short.must
		}
		runIDs = append(runIDs, one.runID)
		wrong = append(wrong, one.wrong...)
		if err := errors.Join(one.waitErr, one.settingsErr); err != nil && !r.options.AllowWeakDurability {
			return nil, err
		}
		if one.waitErr != nil {
			next.replicas = replicatedNowhere
		}
	}
	r.judgeReplicas(next)
	slices.Sort(runIDs)
	next.runIDs = strings.Join(runIDs, " ")
	next.volume = r.volumeUsed()
	next.used = max(next.memory, next.volume)
	if len(wrong) > 0 {
		next.weak = &SettingsError{Wrong: wrong}
		if !r.options.AllowWeakDurability {
			next.err, next.weak = next.weak, nil
		}
	}
	return next, nil
}

// judgeReplicas has every event behind Sentinel confirmed by a replica, seen or
// not: a primary that was stopped and replaced meanwhile sees no replica either,
// and what it alone has goes when it is demoted.
func (r *Redis) judgeReplicas(next *storeState) {
	if r.connection.Sentinel.MasterSet == "" || r.options.AllowWeakDurability {
		return
	}
	if next.replicas == replicatedNowhere {
		next.err = errNoReplica
	}
	next.replicas = replicatedEverywhere
}

// serverInfo is what must be watched all the time.
type serverInfo struct {
	runID string
	// used and limit are bytes of memory; limit is 0 without one.
	used, limit   float64
	aofWriteError bool
	primary       bool
	cluster       bool
	replicas      int
}

// askInfo reads it in one round trip.
func askInfo(ctx context.Context, node rueidis.Client) (serverInfo, error) {
	text, err := node.Do(ctx, node.B().Info().
		Section("server", "memory", "persistence", "replication", "cluster").Build()).ToString()
	if err != nil {
		return serverInfo{}, err
	}
	return parseInfo(text), nil
}

func parseInfo(text string) serverInfo {
	var info serverInfo
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "run_id":
			info.runID = value
		case "used_memory":
			_, _ = fmt.Sscan(value, &info.used) // 0 when it is not a number
		case "maxmemory":
			_, _ = fmt.Sscan(value, &info.limit)
		case "aof_last_write_status":
			info.aofWriteError = value != "ok"
		case "role":
			info.primary = value == "master"
		case "cluster_enabled":
			info.cluster = value == "1"
		case "connected_slaves":
			_, _ = fmt.Sscan(value, &info.replicas)
		}
	}
	return info
}

func (i *serverInfo) usedRatio() float64 {
	if i.limit <= 0 {
		return 0
	}
	return i.used / i.limit
}

// above is how many bytes more than that part of its limit the server uses.
func (i *serverInfo) above(part float64) int64 {
	if i.limit <= 0 {
		return 0
	}
	return max(0, int64(i.used-part*i.limit))
}

// historyBytes is what delivered events may take on this server.
func (i *serverInfo) historyBytes() int64 {
	if i.limit <= 0 {
		return unboundedHistory
	}
	return int64(i.limit * historyShare)
}
