package queue

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/redis/rueidis"
)

// stepError names the step and says which of the store's errors it is.
//
// A reply of the server means that nothing, or not all, was done; without one
// (time-out, connection lost) the outcome is unknown. Either way the caller must
// not acknowledge, and may try again.
func stepError(step string, err error) error {
	if err == nil {
		return nil
	}
	reply, isReply := errors.AsType[*rueidis.RedisError](err)
	if isReply && isOutOfMemory(reply) {
		return fmt.Errorf("%w: %s: %w", ErrFull, step, err)
	}
	if isReply && !isWeather(reply) {
		return fmt.Errorf("%s: %w", step, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrUnavailable, step, err)
}

// weather are the error codes of a store that is starting, failing over, out of
// disk or not set up: asking again later may succeed.
var weather = []string{
	"LOADING", "READONLY", "MASTERDOWN", "MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN", "CROSSSLOT",
	"MISCONF", "NOREPLICAS", "BUSY", "NOAUTH", "WRONGPASS", "NOPERM", "UNKILLABLE", "UNBLOCKED",
}

// weatherWords are in the errors that have no code of their own: too many
// clients, and a script that reaches for a key whose slot is just moving.
var weatherWords = []string{"max number of clients", "access a non local key"}

func isWeather(reply *rueidis.RedisError) bool {
	code, _, _ := strings.Cut(reply.Error(), " ")
	for _, known := range weather {
		if code == known {
			return true
		}
	}
	return slices.ContainsFunc(weatherWords, func(words string) bool { return strings.Contains(reply.Error(), words) })
}

// isOutOfMemory recognises a refusal at maxmemory, which servers report with or
// without the code, depending on whether the script had begun.
func isOutOfMemory(reply *rueidis.RedisError) bool {
	return strings.HasPrefix(reply.Error(), "OOM ")
}

// errUnconfirmed marks the failures of steps that were done all the same.
var errUnconfirmed = errors.New("done, but not confirmed")

func unconfirmed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errUnconfirmed, err)
}

// undone tells that a step that failed was certainly not done: the store said
// so, or there was no connection to send it on.
func undone(err error) bool {
	if errors.Is(err, errUnconfirmed) {
		return false
	}
	if _, isReply := errors.AsType[*rueidis.RedisError](err); isReply {
		return true
	}
	failure, isNetwork := errors.AsType[*net.OpError](err)
	return isNetwork && failure.Op == "dial"
}

func isNoScript(err error) bool {
	reply, ok := errors.AsType[*rueidis.RedisError](err)
	return ok && reply.IsNoScript()
}
