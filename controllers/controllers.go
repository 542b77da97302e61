// Package controllers lists every controller of the manager. Each is a package
// of its own; what they share is passed to them here.
package controllers

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/apply"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/index"
	"github.com/postern-dev/postern/controllers/provision"
	"github.com/postern-dev/postern/controllers/ranges"
	"github.com/postern-dev/postern/controllers/status"
)

// What the manager may do with its own objects, in its own namespace only.
//
// +kubebuilder:rbac:groups="",namespace=postern-system,resources=secrets,verbs=create;patch;delete
// +kubebuilder:rbac:groups="",namespace=postern-system,resources=namespaces,verbs=get
// +kubebuilder:rbac:groups="",namespace=postern-system,resources=serviceaccounts;services,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",namespace=postern-system,resources=persistentvolumeclaims,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups="",namespace=postern-system,resources=pods,verbs=get;list;watch
// +kubebuilder:rbac:groups=apps,namespace=postern-system,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,namespace=postern-system,resources=networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,namespace=postern-system,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=rbac.authorization.k8s.io,namespace=postern-system,resources=roles;rolebindings,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=hooks.postern.dev,namespace=postern-system,resources=webhookreceivers/finalizers,verbs=update
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=postern-system,resources=leases,verbs=get;create;update;patch
// +kubebuilder:rbac:groups="",namespace=postern-system,resources=events,verbs=create;patch

// rangesBacklog is more than there are lists, so that telling of one never blocks
// for long.
const rangesBacklog = 64

// Setup registers every controller with the manager, whose cache must have been
// made with [CacheOptions] and whose scheme is [NewScheme].
func Setup(ctx context.Context, mgr ctrl.Manager, options Options) error {
	if err := options.Validate(); err != nil {
		return err
	}
	options = options.withDefaults()
	secrets, err := newSecretCache(mgr, options)
	if err != nil {
		return err
	}
	asking := confirm.NewClient()
	all := &shared{
		mgr:       mgr,
		options:   options,
		asking:    asking,
		receivers: options.receivers(mgr, asking),
		writer:    apply.NewWriter(mgr.GetClient(), mgr.GetAPIReader()),
		patcher:   status.NewPatcher(mgr.GetClient()),
		table:     index.NewTable(),
	}
	published, changed := addressRanges(mgr, all.writer, options)
	pulse := all.pulse()
	return errors.Join(
		all.endpoints(published, changed).SetupWithManager(ctx, mgr, secrets),
		all.routes().SetupWithManager(mgr),
		all.fleet(pulse).SetupWithManager(mgr),
		mgr.Add(pulse),
		all.replays().SetupWithManager(ctx, mgr),
		mgr.Add(all.traffic()),
		mgr.Add(all.tombstones()),
		provisionReceiver(ctx, mgr, options),
		register(mgr.GetClient()),
		mgr.Add(published),
		mgr.Add(closing(asking.Close)),
	)
}

// closing runs when the manager stops.
func closing(closeIt func()) manager.RunnableFunc {
	return func(ctx context.Context) error {
		<-ctx.Done()
		closeIt()
		return nil
	}
}

// provisionReceiver has the installation's receiver checked now and applied once
// this manager leads.
func provisionReceiver(ctx context.Context, mgr ctrl.Manager, options Options) error {
	receiver, err := options.defaultReceiver()
	if err != nil || receiver == nil {
		return err
	}
	provisioner := &provision.Provisioner{
		Client: mgr.GetClient(), Receiver: receiver, Owner: options.owner(mgr.GetAPIReader()),
	}
	if err := provisioner.Check(ctx); err != nil {
		return fmt.Errorf("--default-receiver: %w", err)
	}
	return mgr.Add(provisioner)
}

// addressRanges keeps the lists that providers publish; the channel names those
// that were fetched.
func addressRanges(
	mgr ctrl.Manager, writer *apply.Writer, options Options,
) (*ranges.Keeper, <-chan event.TypedGenericEvent[string]) {
	changed := make(chan event.TypedGenericEvent[string], rangesBacklog)
	return ranges.NewKeeper(ranges.Options{
		Lists: ranges.WithURLs(options.AddressRangeURLs),
		Store: ranges.SecretStore{
			Live: mgr.GetAPIReader(), Writer: writer, Owner: options.owner(mgr.GetAPIReader()), Namespace: options.Namespace,
		},
		Logger:  mgr.GetLogger().WithName("ranges"),
		Changed: func(provider string) { changed <- event.TypedGenericEvent[string]{Object: provider} },
	}), changed
}

// NewScheme returns the kinds that the controllers work with.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, v1alpha1.AddToScheme, gatewayv1beta1.Install,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("build scheme: %w", err)
		}
	}
	return scheme, nil
}
