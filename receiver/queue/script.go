package queue

import (
	"context"
	"crypto/sha1" //nolint:gosec // the protocol names scripts by it; no security rests on it
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/rueidis"
)

// allowOOM lets a script write at maxmemory. Everything on the delivering side
// has it, so that a full store drains; admission never has.
const allowOOM = "flags=allow-oom"

var (
	//go:embed scripts/lib.lua
	libLua string
	//go:embed scripts/admit.lua
	admitLua string
	//go:embed scripts/claim.lua
	claimLua string
	//go:embed scripts/renew.lua
	renewLua string
	//go:embed scripts/hasten.lua
	hastenLua string
	//go:embed scripts/settle.lua
	settleLua string
	//go:embed scripts/depth.lua
	depthLua string
	//go:embed scripts/peek.lua
	peekLua string
	//go:embed scripts/replay.lua
	replayLua string
	//go:embed scripts/purge.lua
	purgeLua string
	//go:embed scripts/forget.lua
	forgetLua string
	//go:embed scripts/bodies.lua
	bodiesLua string
	//go:embed scripts/giveway.lua
	giveWayLua string
	//go:embed scripts/size.lua
	sizeLua string
	//go:embed scripts/job.lua
	jobLua string
	//go:embed scripts/takemark.lua
	takeMarkLua string
	//go:embed scripts/leavemark.lua
	leaveMarkLua string
)

var (
	admitScript  = newScript("admit", "", admitLua)
	claimScript  = newScript("claim", allowOOM, claimLua)
	renewScript  = newScript("renew", allowOOM, renewLua)
	hastenScript = newScript("hasten", allowOOM, hastenLua)
	settleScript = newScript("settle", allowOOM, settleLua)
	depthScript  = newScript("depth", "flags=no-writes", depthLua)
	peekScript   = newScript("peek", "flags=no-writes", peekLua)
	replayScript = newScript("replay", allowOOM, replayLua)
	purgeScript  = newScript("purge", allowOOM, purgeLua)
	forgetScript = newScript("forget", allowOOM, forgetLua)
	bodiesScript = newScript("bodies", allowOOM, bodiesLua)
	sizeScript   = newScript("size", "flags=no-writes", sizeLua)
	jobScript    = newScript("job", allowOOM, jobLua)

	giveWayScript   = newScript("give way", allowOOM, giveWayLua)
	takeMarkScript  = newScript("take mark", "", takeMarkLua)
	leaveMarkScript = newScript("leave mark", allowOOM, leaveMarkLua)
)

// constantsLua are what Go and the scripts both know.
var constantsLua = fmt.Sprintf("local LAYOUT, ATTEMPTS, NEWER = '%s', %d, %d\n",
	stateLayout, AttemptsKept, newerDelay.Milliseconds())

// script is a Lua script; the shebang line carries its flags.
type script struct {
	name string
	text string
	sha  string
}

func newScript(name, flags, body string) *script {
	text := "#!lua " + flags + "\n" + constantsLua + libLua + body
	sum := sha1.Sum([]byte(text)) //nolint:gosec // likewise
	return &script{name: name, text: text, sha: hex.EncodeToString(sum[:])}
}

// call is one use of a script.
type call struct {
	keys []string
	args []string
}

// run runs a script within the step time-out.
func (r *Redis) run(ctx context.Context, s *script, keys, args []string) (rueidis.RedisMessage, error) {
	client, err := r.connected()
	if err != nil {
		return rueidis.RedisMessage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	result := client.Do(ctx, s.bySHA(client, call{keys, args}))
	if isNoScript(result.Error()) {
		result = client.Do(ctx, s.byText(client, call{keys, args}))
	}
	message, err := result.ToMessage()
	return message, stepError(s.name, err)
}

// runAll runs a script several times in one round trip, and returns a reply or
// an error for each call. Pipelined calls do not wait for one another, so that
// those that found no script are sent again.
func (r *Redis) runAll(ctx context.Context, s *script, calls []call) ([]rueidis.RedisMessage, []error) {
	messages, errs := make([]rueidis.RedisMessage, len(calls)), make([]error, len(calls))
	client, err := r.connected()
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return messages, errs
	}
	ctx, cancel := context.WithTimeout(ctx, r.options.StepTimeout)
	defer cancel()
	commands := make(rueidis.Commands, len(calls))
	for i, c := range calls {
		commands[i] = s.bySHA(client, c)
	}
	for i, result := range client.DoMulti(ctx, commands...) {
		if isNoScript(result.Error()) {
			result = client.Do(ctx, s.byText(client, calls[i]))
		}
		message, err := result.ToMessage()
		messages[i], errs[i] = message, stepError(s.name, err)
	}
	return messages, errs
}

func (s *script) bySHA(client rueidis.Client, c call) rueidis.Completed {
	keys := c.guarded(client)
	return client.B().Evalsha().Sha1(s.sha).Numkeys(int64(len(keys))).Key(keys...).Arg(c.args...).Build()
}

func (s *script) byText(client rueidis.Client, c call) rueidis.Completed {
	keys := c.guarded(client)
	return client.B().Eval().Script(s.text).Numkeys(int64(len(keys))).Key(keys...).Arg(c.args...).Build()
}

// guarded returns the keys with one more on a Cluster, of a kind that is never
// there. While a slot moves, its keys are on two servers, and scripts use more
// keys than they name: run on either, one would miss what is on the other. A
// server refuses a script when some of the keys that it names are missing then.
func (c *call) guarded(client rueidis.Client) []string {
	if client.Mode() != rueidis.ClientModeCluster {
		return c.keys
	}
	prefix, _, _ := strings.Cut(c.keys[0], "}:")
	return append(slices.Clip(c.keys), prefix+"}:moving")
}
