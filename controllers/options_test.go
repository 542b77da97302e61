package controllers_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/controllers"
)

func TestOptionsNameTheFlag(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options controllers.Options
		want    string
	}{
		"defaults": {},
		"all good": {options: controllers.Options{
			Namespace: "hooks", WatchNamespaces: []string{"a", "b"}, ReceiverURLs: []string{"http://127.0.0.1:8081/"},
		}},
		"namespace":         {controllers.Options{Namespace: "Hooks"}, `--namespace, --watch-namespaces: "Hooks"`},
		"watched namespace": {controllers.Options{WatchNamespaces: []string{"a", "b/c"}}, `"b/c" is not a namespace`},
		"no URL":            {controllers.Options{ReceiverURLs: []string{"127.0.0.1:8081"}}, `--receiver-url: "127.0.0.1:8081"`},
		"other scheme":      {controllers.Options{ReceiverURLs: []string{"unix:///x"}}, "--receiver-url"},
		"port":              {controllers.Options{ReceiverPort: 70000}, "receiver port 70000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.options.Validate()
			switch {
			case err == nil && test.want != "":
				t.Errorf("accepted, want %q", test.want)
			case err != nil && (test.want == "" || !strings.Contains(err.Error(), test.want)):
				t.Errorf("refused with %v, want %q", err, test.want)
			}
		})
	}
}
