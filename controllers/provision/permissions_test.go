package provision_test

import (
	"os"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// grantManager binds the manager's own Role to a new user in a namespace and
// connects as that user.
func grantManager(t *testing.T, namespace string) (client.Client, error) {
	t.Helper()
	data, err := os.ReadFile("../../config/rbac/role.yaml")
	if err != nil {
		return nil, err
	}
	for document := range strings.SplitSeq(string(data), "\n---\n") {
		var role rbacv1.Role
		if err := yaml.Unmarshal([]byte(document), &role); err != nil {
			return nil, err
		}
		if role.Kind != "Role" {
			continue
		}
		role.Namespace = namespace
		binding := &rbacv1.RoleBinding{
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "manager-of-" + namespace}},
		}
		binding.Namespace, binding.Name = namespace, role.Name
		cluster.Create(t, &role, binding)
	}
	as, err := cluster.As("manager-of-" + namespace)
	if err != nil {
		return nil, err
	}
	return as.Client, nil
}
