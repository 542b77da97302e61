package resources

import (
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	rbacv1ac "k8s.io/client-go/applyconfigurations/rbac/v1"
)

// serviceAccount mounts no token by itself: only the receiver's pod asks for one.
func (m *model) serviceAccount() *corev1ac.ServiceAccountApplyConfiguration {
	return corev1ac.ServiceAccount(m.name, m.namespace).
		WithLabels(m.labels).
		WithOwnerReferences(m.owner).
		WithAutomountServiceAccountToken(false)
}

// role is all that the process that faces the internet may do: read the
// Secrets of the system namespace, where the routes are.
func (m *model) role() *rbacv1ac.RoleApplyConfiguration {
	return rbacv1ac.Role(m.name, m.namespace).
		WithLabels(m.labels).
		WithOwnerReferences(m.owner).
		WithRules(rbacv1ac.PolicyRule().
			WithAPIGroups("").
			WithResources("secrets").
			WithVerbs("get", "list", "watch"))
}

func (m *model) roleBinding() *rbacv1ac.RoleBindingApplyConfiguration {
	return rbacv1ac.RoleBinding(m.name, m.namespace).
		WithLabels(m.labels).
		WithOwnerReferences(m.owner).
		WithRoleRef(rbacv1ac.RoleRef().
			WithAPIGroup("rbac.authorization.k8s.io").
			WithKind("Role").
			WithName(m.name)).
		WithSubjects(rbacv1ac.Subject().
			WithKind("ServiceAccount").
			WithName(m.name).
			WithNamespace(m.namespace))
}
