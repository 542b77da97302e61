// Package confirm asks receivers what they serve, so that a condition says what
// is and not what should be.
//
// It speaks the receivers' internal HTTP (/routes, /replays, /tombstones, /traffic,
// /readyz)
// and lists their pods; it imports receiver/route and of the controllers meta.
package confirm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/route"
)

// Receiver is one receiver process that can be asked.
type Receiver struct {
	// Name is what messages call it: the pod's name, or the URL.
	Name string
	// URL is the base of its internal HTTP, without a slash at the end.
	URL string
}

// Loaded is what a receiver says about one route.
type Loaded struct {
	UID        string `json:"uid"`
	Hash       string `json:"hash"`
	Generation int64  `json:"generation"`
	// Error is set when the receiver refuses the route that it was given.
	Error string `json:"error,omitempty"`
	// KeysUsed is when keys last verified a request there, by key.
	KeysUsed map[string]time.Time `json:"keysUsed,omitempty"`
}

// Client asks receivers.
type Client struct {
	http *http.Client
}

// timeout is for one question. A receiver that takes longer is not confirmed;
// the question is asked again.
const timeout = time.Second

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 16 << 20

// NewClient returns a Client. It never goes through a proxy and follows no
// redirects: receivers are asked directly or not at all.
func NewClient() *Client {
	return &Client{http: &http.Client{
		Timeout:   timeout,
		Transport: &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Route returns what the receiver says about the route, or nil if it has none
// of that uid.
func (c *Client) Route(ctx context.Context, receiver Receiver, uid string) (*Loaded, error) {
	var answer struct {
		Routes []Loaded `json:"routes"`
	}
	if err := c.ask(ctx, receiver, "/routes", "?uid="+url.QueryEscape(uid), &answer); err != nil {
		return nil, err
	}
	for i := range answer.Routes {
		if answer.Routes[i].UID == uid {
			return &answer.Routes[i], nil
		}
	}
	return nil, nil //nolint:nilnil // no such route is an answer, not a failure
}

// Replays returns how far the receiver got with the replays that it knows.
func (c *Client) Replays(ctx context.Context, receiver Receiver) ([]route.ReplayProgress, error) {
	var answer struct {
		Replays []route.ReplayProgress `json:"replays"`
	}
	err := c.ask(ctx, receiver, "/replays", "", &answer)
	return answer.Replays, err
}

// Purged returns the UIDs of the deleted endpoints whose events the receiver has
// purged.
func (c *Client) Purged(ctx context.Context, receiver Receiver) ([]string, error) {
	var answer struct {
		Purged []string `json:"purged"`
	}
	err := c.ask(ctx, receiver, "/tombstones", "", &answer)
	return answer.Purged, err
}

// Traffic is how one endpoint does, as one receiver tells it.
type Traffic struct {
	UID     string `json:"uid"`
	Pending int64  `json:"pending"`
	Dead    int64  `json:"dead"`
	// LastEventAt is zero for a receiver that accepted none since it started.
	LastEventAt time.Time `json:"lastEventAt,omitzero"`
	// DeliveryP99Millis is nil for a receiver that delivered none in the last hour.
	DeliveryP99Millis *int64 `json:"deliveryP99Millis,omitempty"`
}

// Traffic returns how the receiver's endpoints do.
func (c *Client) Traffic(ctx context.Context, receiver Receiver) ([]Traffic, error) {
	var answer struct {
		Endpoints []Traffic `json:"endpoints"`
	}
	err := c.ask(ctx, receiver, "/traffic", "", &answer)
	return answer.Endpoints, err
}

// ask decodes the receiver's answer to a GET.
func (c *Client) ask(ctx context.Context, receiver Receiver, path, query string, answer any) error {
	status, body, err := c.get(ctx, receiver.URL+path+query)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("GET %s answered %d", path, status)
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return fmt.Errorf("GET %s answered no JSON: %w", path, err)
	}
	return nil
}

// Ready returns nil if the receiver is ready, else an error with its reasons.
func (c *Client) Ready(ctx context.Context, receiver Receiver) error {
	health, err := c.Health(ctx, receiver)
	if err != nil {
		return err
	}
	if health.Status == statusReady {
		return nil
	}
	return errors.New(strings.Join(health.Reasons, "; "))
}

// statusReady is the status of a receiver that is ready.
const statusReady = "ready"

// Health returns what the receiver says about itself. One that is not ready has
// at least one reason, be it the answer as it came.
func (c *Client) Health(ctx context.Context, receiver Receiver) (route.Health, error) {
	status, body, err := c.get(ctx, receiver.URL+"/readyz")
	if err != nil {
		return route.Health{}, err
	}
	var health route.Health
	understood := json.Unmarshal(body, &health) == nil
	if status == http.StatusOK {
		health.Status = statusReady
		return health, nil
	}
	health.Status = ""
	if !understood || len(health.Reasons) == 0 {
		health.Reasons = []string{cmp.Or(strings.TrimSpace(string(body)), fmt.Sprintf("GET /readyz answered %d", status))}
	}
	for i := range health.Reasons {
		health.Reasons[i] = short(health.Reasons[i])
	}
	return health, nil
}

// short is a text in one line that fits into a message.
func short(text string) string {
	const most = 300
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

func (c *Client) get(ctx context.Context, address string) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return 0, nil, fmt.Errorf("read answer: %w", err)
	}
	return response.StatusCode, body, nil
}
