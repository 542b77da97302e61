package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/postern-dev/postern/receiver/route"
)

// Names of the objects that end endpoints.
const (
	TombstoneLabel  = "hooks.postern.dev/tombstone"
	TombstoneKey    = "tombstone.json"
	TombstonePrefix = "tombstone-"
)

const (
	// touchFor is how long the watches must have gone well before anything is
	// cleaned up on their word.
	touchFor = time.Minute
	// askTimeout bounds one question.
	askTimeout = 5 * time.Second
)

var errNotInTouch = errors.New("this receiver has not been in touch with the API server for a whole minute")

// Current asks the API server how an endpoint stands. It reads what is there
// now, never a cache. It fails when a watch has failed, or this process has
// begun, less than a minute ago.
func (s *Source) Current(ctx context.Context, uid string) (route.Standing, error) {
	if time.Since(time.Unix(0, s.troubled.Load())) < s.options.TouchFor || !s.synced() {
		return route.Standing{}, errNotInTouch
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	secret, err := s.secret(ctx, RoutePrefix+uid)
	if err != nil {
		return route.Standing{}, err
	}
	if secret != nil {
		endpoint, err := decodeRoute(uid, secret)
		return route.Standing{Route: endpoint}, err
	}
	if secret, err = s.secret(ctx, TombstonePrefix+uid); err != nil || secret == nil {
		return route.Standing{}, err
	}
	_, err = decodeTombstone(secret)
	return route.Standing{Deleted: err == nil}, err
}

// secret returns the Secret of that name, nil if there is none.
func (s *Source) secret(ctx context.Context, name string) (*corev1.Secret, error) {
	secret, err := s.secrets.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // absence is an answer
	}
	if err != nil {
		return nil, fmt.Errorf("get Secret %s/%s: %w", s.options.Namespace, name, err)
	}
	return secret, nil
}

// readTombstones returns the UIDs of the endpoints that were deleted.
func (s *Source) readTombstones() []string {
	uids := []string{}
	for _, object := range s.tombstones.GetStore().List() {
		secret := object.(*corev1.Secret)
		tombstone, err := decodeTombstone(secret)
		if err != nil {
			s.log.Error("Tombstone was not read, the endpoint's events are kept",
				"secret", secret.Namespace+"/"+secret.Name, "error", err)
			continue
		}
		uids = append(uids, tombstone.UID)
	}
	return uids
}

func decodeTombstone(secret *corev1.Secret) (*route.Tombstone, error) {
	data, ok := secret.Data[TombstoneKey]
	if !ok {
		return nil, fmt.Errorf("key %s is missing", TombstoneKey)
	}
	tombstone, err := route.UnmarshalTombstone(data)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", TombstoneKey, err)
	}
	if name := TombstonePrefix + tombstone.UID; secret.Name != name {
		return nil, fmt.Errorf("key %s: it is the tombstone of uid %q", TombstoneKey, tombstone.UID)
	}
	return tombstone, nil
}
