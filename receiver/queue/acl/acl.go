// Package acl says what the receiver's user may do in the store: the commands
// that the scripts and the checks use, on Postern's own keys.
//
// It imports nothing, so that whoever configures a server may import it. The
// conformance suite of the store runs as this user.
package acl

// Username is the store's user for receivers in the sidecar.
const Username = "postern"

// Rules are the arguments of ACL SETUSER, or of an ACL file's line, that follow
// the user's name and its password.
var Rules = []string{
	"resetkeys", "resetchannels", "-@all",
	"~p:*",
	// connection and checks
	"+hello", "+ping", "+info", "+config|get",
	// scripts
	"+eval", "+evalsha", "+time",
	// events and their states
	"+get", "+set", "+mset", "+mget", "+exists", "+getrange", "+strlen", "+del", "+unlink", "+pexpire",
	"+hget", "+hset", "+hmget", "+hdel", "+hstrlen", "+hlen", "+hrandfield",
	// queues, indexes and marks
	"+zadd", "+zrem", "+zcard", "+zcount", "+zscore", "+zmscore", "+zrange", "+zpopmin", "+zremrangebyrank",
	"+sadd", "+srem", "+smembers",
}

// ExternalRules are needed in addition where there are replicas, with Sentinel,
// and on a Cluster.
var ExternalRules = []string{"+wait", "+role", "+cluster|slots", "+cluster|shards"}

// ServerArgs are command-line arguments of a server that is reached only
// through a socket that nobody else can open: the default user is off, and the
// one user needs no password.
//
// The default user keeps its permissions, although nobody can be it: the server
// replays its log as that user, and drops every transaction that the user may
// not run. Without them a restart would lose all events.
func ServerArgs() []string {
	args := []string{"--user", "default", "off", "~*", "&*", "+@all", "--user", Username, "on", "nopass"}
	return append(args, Rules...)
}
