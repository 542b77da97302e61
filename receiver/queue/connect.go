package queue

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// sockets is the number of connections as a power of two. A server commits at
// most 16 KiB of each connection in one fsync, so that a single one, however
// deep its pipeline, would be an order of magnitude slower.
const sockets = 5

// socketBuffer is what each connection has for either direction. More makes
// nothing faster, and there are many connections.
const socketBuffer = 64 << 10

// topologyRefresh is how often a Cluster or a sentinel is asked who is primary,
// for changes that nobody told.
const topologyRefresh = 5 * time.Second

// Errors of addresses never quote them: they may hold a password.
var (
	errURL = errors.New("the URL of the store is not valid; " +
		"give unix:///path/to/socket, redis://host:port or rediss://host:port")
	errNoSocket   = errors.New("the URL of the store names no socket; give unix:///path/to/socket")
	errSkipVerify = errors.New("the URL of the store says skip_verify: anybody could pass for the store then; " +
		"remove it, and give the certificate of its authority as ca.crt")
	errTLSUnused = errors.New("there are certificates for the store, but its URL does not begin with rediss://")
)

func clientOption(options Options) (rueidis.ClientOption, error) {
	option, err := rueidis.ParseURL(options.URL)
	address, parseErr := url.Parse(options.URL)
	if err != nil || parseErr != nil {
		return option, errURL
	}
	option.Username = cmp.Or(options.Username, option.Username)
	option.Password = cmp.Or(options.Password, option.Password)
	option.PipelineMultiplex = sockets
	option.ReadBufferEachConn, option.WriteBufferEachConn = socketBuffer, socketBuffer
	option.DisableRetry = true
	option.DisableCache = true
	option.ClientSetInfo = rueidis.DisableClientSetInfo
	option.ClusterOption.ShardsRefreshInterval = topologyRefresh
	option.Sentinel.TopologyRefreshInterval = topologyRefresh
	option.Sentinel.TLSConfig = option.TLSConfig
	option.Sentinel.Username = address.Query().Get("sentinel_username")
	option.Sentinel.Password = address.Query().Get("sentinel_password")
	if address.Scheme == "unix" {
		option.ForceSingleClient = true
	}
	return option, validateAddress(address, option, options.TLSDir)
}

func validateAddress(address *url.URL, option rueidis.ClientOption, tlsDir string) error {
	switch {
	case address.Scheme == "unix" && option.InitAddress[0] == "":
		return errNoSocket
	case address.Scheme != "unix" && address.Hostname() == "":
		// The parser would complete it, but in a pod the store is never what
		// happens to listen on localhost.
		return errURL
	case address.Query().Has("skip_verify"):
		return errSkipVerify
	case tlsDir != "" && option.TLSConfig == nil:
		return errTLSUnused
	case tlsDir != "":
		_, err := loadCertificates(tlsDir)
		return err
	}
	return nil
}

// watchDials makes every new connection have the store checked: behind it may
// be another server, or the same one restarted with other settings.
func (r *Redis) watchDials(option rueidis.ClientOption) rueidis.ClientOption {
	dial := option.DialCtxFn
	if dial == nil {
		dial = r.dialTCP
	}
	option.DialCtxFn = func(ctx context.Context, addr string, d *net.Dialer, config *tls.Config) (net.Conn, error) {
		conn, err := dial(ctx, addr, d, config)
		if err == nil {
			r.dials.Add(1)
			r.checkSoon()
		}
		return conn, err
	}
	return option
}

func (r *Redis) dialTCP(
	ctx context.Context, address string, dialer *net.Dialer, config *tls.Config,
) (net.Conn, error) {
	if config == nil {
		return dialer.DialContext(ctx, "tcp", address)
	}
	config = config.Clone()
	config.ServerName = serverName(config.ServerName, address)
	if r.options.TLSDir != "" {
		files, err := loadCertificates(r.options.TLSDir)
		if err != nil {
			return nil, err
		}
		config.RootCAs, config.Certificates = files.authorities, files.own
	}
	return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", address)
}

// serverName is whom the certificate must name: the server that is dialled, or
// the host of the URL where servers go by addresses and certificates do not.
func serverName(ofURL, dialled string) string {
	host, _, err := net.SplitHostPort(dialled)
	if err != nil {
		host = dialled
	}
	isAddress := func(host string) bool { return net.ParseIP(strings.Trim(host, "[]")) != nil }
	if isAddress(host) && !isAddress(ofURL) {
		return ofURL
	}
	return host
}
