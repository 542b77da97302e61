package compile

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	gatewayv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/postern-dev/postern/api/v1alpha1"
)

// Granted says whether endpoints of a namespace may deliver to the Service: it
// is their own, or a ReferenceGrant beside the Service consents.
func Granted(grants []gatewayv1beta1.ReferenceGrant, from string, service types.NamespacedName) bool {
	if service.Namespace == from {
		return true
	}
	return slices.ContainsFunc(grants, func(grant gatewayv1beta1.ReferenceGrant) bool {
		return grant.Namespace == service.Namespace &&
			slices.ContainsFunc(grant.Spec.From, func(f gatewayv1.ReferenceGrantFrom) bool {
				return string(f.Group) == v1alpha1.GroupVersion.Group &&
					f.Kind == v1alpha1.KindWebhookEndpoint && string(f.Namespace) == from
			}) &&
			slices.ContainsFunc(grant.Spec.To, func(to gatewayv1.ReferenceGrantTo) bool {
				return to.Group == "" && to.Kind == "Service" && (to.Name == nil || string(*to.Name) == service.Name)
			})
	})
}
