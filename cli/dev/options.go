package dev

import (
	"errors"
	"net"
	"time"

	"github.com/spf13/pflag"

	"github.com/postern-dev/postern/cli/dataplane"
	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/cli/input"
	"github.com/postern-dev/postern/cli/logging"
	"github.com/postern-dev/postern/cli/output"
	"github.com/postern-dev/postern/receiver/deliver/outbound"
)

// options are the flags as given.
type options struct {
	files       []string
	namespace   string
	forwardTo   string
	forward     []string
	listen      string
	internal    string
	externalURL string
	store       string
	log         logging.Options
	format      *output.Format
}

// patience is how long an accepted event may be without an attempt until a
// line says so.
const patience = time.Second

func (o *options) bind(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&o.files, "filename", "f", nil, "`PATH` of a file or folder, - for standard input, repeatable")
	flags.StringVarP(&o.namespace, "namespace", "n", "default", "`NAMESPACE` of objects that name none")
	flags.StringVar(&o.forwardTo, "forward-to", "", "`URL` that gets the events of every target")
	flags.StringArrayVar(&o.forward, "forward", nil,
		"`namespace/service=URL` for one Service, repeatable; wins over --forward-to")
	flags.StringVar(&o.listen, "listen", ":8080", "`ADDRESS` that webhooks are sent to")
	flags.StringVar(&o.internal, "internal", "127.0.0.1:8081", "`ADDRESS` for postern events, metrics and probes")
	flags.StringVar(&o.externalURL, "external-url", "",
		"`URL` of a tunnel or proxy in front, for providers that sign it (default http://localhost and the port)")
	flags.StringVar(&o.store, "store", dataplane.Memory,
		"`URL` of the store: memory, which forgets everything at the end, unix:///path, redis://… or rediss://…")
	flags.StringVar(&o.log.Level, "log-level", "warn", "least level that is logged: debug, info, warn or error")
	flags.StringVar(&o.log.Format, "log-format", logging.FormatText, "json, text or auto")
	o.format = output.Flag(flags)
}

// network checks the flags that say where events go.
func (o *options) network() (outbound.Network, error) {
	network := outbound.Network{AllowLoopback: true}
	var err error
	if len(o.files) == 0 {
		return network, exit.Usagef("-f: name at least one file or folder")
	}
	if o.forwardTo == "" && len(o.forward) == 0 {
		return network, exit.Usagef("--forward-to: name the URL that gets the events, such as http://localhost:3000; " +
			"or one for each Service with --forward")
	}
	if o.forwardTo != "" {
		if network.ForwardAll, err = input.URL("forward-to", o.forwardTo); err != nil {
			return network, err
		}
	}
	if o.externalURL != "" {
		if _, err := input.URL("external-url", o.externalURL); err != nil {
			return network, err
		}
	}
	network.Forward, err = input.Forwards("forward", o.forward)
	return network, err
}

var errNothing = errors.New("there is no WebhookEndpoint in the files")

// localURL is how the public listener is reached from this machine.
func localURL(address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
