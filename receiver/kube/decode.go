package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/postern-dev/postern/receiver/route"
)

// Names of the objects that carry routes.
const (
	RouteLabel  = "hooks.postern.dev/route"
	RouteKey    = "route.json"
	RoutePrefix = "route-"
	IndexLabel  = "hooks.postern.dev/route-index"
	IndexName   = "postern-routes-index"
	IndexKey    = "index.json"
)

// decoder reads route Secrets and remembers the last good route of each.
type decoder struct {
	good map[string]decoded
}

type decoded struct {
	resourceVersion string
	route           *route.Endpoint
	document        json.RawMessage
}

func newDecoder() decoder { return decoder{good: map[string]decoded{}} }

// set is what is handed on.
type set struct {
	routes   []*route.Endpoint
	problems map[string]error
	// documents are the routes as they were read, in no order.
	documents []json.RawMessage
	// tombstones are the UIDs of deleted endpoints, sorted.
	tombstones   []string
	installation string
}

// equal says whether two sets are the same; routes are compared by identity.
func (s *set) equal(other *set) bool {
	return other != nil && slices.Equal(s.routes, other.routes) && slices.Equal(s.tombstones, other.tombstones) &&
		s.installation == other.installation &&
		maps.EqualFunc(s.problems, other.problems, func(a, b error) bool { return a.Error() == b.Error() })
}

// read decodes everything that the informer has. A route that did not change
// is the same pointer as before.
func (s *Source) read() *set {
	problems := map[string]error{}
	var routes []*route.Endpoint
	var documents []json.RawMessage
	seen := map[string]bool{}
	for _, object := range s.routes.GetStore().List() {
		secret := object.(*corev1.Secret)
		uid := strings.TrimPrefix(secret.Name, RoutePrefix)
		seen[uid] = true
		endpoint, err := s.decoder.decode(uid, secret)
		if err != nil {
			problems[uid] = fmt.Errorf("secret %s/%s: %w", secret.Namespace, secret.Name, err)
		}
		if endpoint != nil {
			routes = append(routes, endpoint)
			documents = append(documents, s.decoder.good[uid].document)
		}
	}
	s.decoder.forgetAllBut(seen)
	slices.SortFunc(routes, func(a, b *route.Endpoint) int { return strings.Compare(a.UID, b.UID) })
	tombstones := s.readTombstones()
	slices.Sort(tombstones)
	return &set{
		routes: routes, documents: documents, problems: problems,
		tombstones: tombstones, installation: s.readIndex().Installation,
	}
}

// decode returns the route of a Secret, or with an error the last good one,
// which may be nil.
func (d *decoder) decode(uid string, secret *corev1.Secret) (*route.Endpoint, error) {
	last := d.good[uid]
	if last.route != nil && last.resourceVersion == secret.ResourceVersion {
		return last.route, nil
	}
	endpoint, err := decodeRoute(uid, secret)
	if err != nil {
		return last.route, err
	}
	d.good[uid] = decoded{resourceVersion: secret.ResourceVersion, route: endpoint, document: secret.Data[RouteKey]}
	return endpoint, nil
}

func decodeRoute(uid string, secret *corev1.Secret) (*route.Endpoint, error) {
	data, ok := secret.Data[RouteKey]
	if !ok {
		return nil, fmt.Errorf("key %s is missing", RouteKey)
	}
	if len(data) > route.MaxBytes {
		return nil, fmt.Errorf("key %s has %d bytes, at most %d are read", RouteKey, len(data), route.MaxBytes)
	}
	endpoint, err := route.Unmarshal(data)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", RouteKey, err)
	}
	if endpoint.UID != uid {
		return nil, fmt.Errorf("key %s: it is the route of uid %q", RouteKey, endpoint.UID)
	}
	return endpoint, nil
}

func (d *decoder) forgetAllBut(seen map[string]bool) {
	for uid := range d.good {
		if !seen[uid] {
			delete(d.good, uid)
		}
	}
}

// index is the content of the index Secret.
type index struct {
	Count int    `json:"count"`
	Hash  string `json:"hash"`
	// Installation identifies the installation; empty before there were such ids.
	Installation string `json:"installation,omitempty"`
}

// synced says whether all lists are in.
func (s *Source) synced() bool {
	return s.routes.HasSynced() && s.index.HasSynced() && s.tombstones.HasSynced()
}

// readIndex returns the content of the index Secret; without one its count is -1.
func (s *Source) readIndex() (content index) {
	object, ok, err := s.index.GetStore().GetByKey(s.options.Namespace + "/" + IndexName)
	if err != nil || !ok {
		return index{Count: -1}
	}
	if err := json.Unmarshal(object.(*corev1.Secret).Data[IndexKey], &content); err != nil {
		s.log.Error("Route index is not readable", "secret", s.options.Namespace+"/"+IndexName, "error", err)
		return index{Count: -1}
	}
	return content
}

// complete says whether the first set may be served: both lists are in, and
// there are at least as many Secrets as the index counts, or exactly those. A
// Secret that cannot be read counts: waiting would not mend it.
func (s *Source) complete(routes []*route.Endpoint) bool {
	content := s.readIndex()
	if !s.synced() || content.Count < 0 {
		return false
	}
	if len(s.routes.GetStore().ListKeys()) >= content.Count {
		return true
	}
	hashes := make(map[string]string, len(routes))
	for _, endpoint := range routes {
		hashes[endpoint.UID] = endpoint.Hash()
	}
	return route.IndexHash(hashes) == content.Hash
}
