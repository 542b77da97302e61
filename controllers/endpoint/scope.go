package endpoint

import (
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/postern-dev/postern/api/v1alpha1"
	"github.com/postern-dev/postern/controllers/compile"
	"github.com/postern-dev/postern/controllers/confirm"
	"github.com/postern-dev/postern/controllers/status"
	"github.com/postern-dev/postern/receiver/route"
)

// scope is what the steps of one reconcile share. Each field is filled by the
// step that its comment names and only read by later ones.
type scope struct {
	// endpoint is a private copy of the object; finalize may change its metadata.
	endpoint *v1alpha1.WebhookEndpoint

	// input is everything that the endpoint refers to; by gather.
	input compile.Input
	// receivers says whether a WebhookReceiver exists; by gather.
	receivers bool
	// maxEndpoints is how many endpoints the namespace may have, 0 without limit; by
	// gather.
	maxEndpoints int

	// compiled is what became of the spec; by compile.
	compiled compile.Result

	// stored is the route that is in the system namespace now, nil if none is:
	// the one just compiled, or an earlier one that goes on; by program.
	stored *route.Endpoint
	// wrote says that the route was written just now, so that no receiver can have
	// it yet; by program.
	wrote bool

	// verdict is what the receivers say about the compiled route; by confirm.
	verdict confirm.Verdict
}

func (s *scope) key() types.NamespacedName { return client.ObjectKeyFromObject(s.endpoint) }

// found is the scope in the words of the status.
func (s *scope) found() status.Endpoint {
	found := status.Endpoint{
		Compiled: s.compiled, Receivers: s.receivers, Verdict: s.verdict, Ranges: s.input.Ranges,
	}
	if s.stored != nil {
		found.RouteHash = s.stored.Hash()
		if s.compiled.Route == nil {
			found.Kept, found.Draining = s.stored.Generation, s.stored.Draining
		}
	}
	return found
}
