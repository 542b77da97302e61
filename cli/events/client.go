package events

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/receiver/queue"
)

const (
	callTimeout = 30 * time.Second
	// pageLimit is the largest page that the API gives.
	pageLimit = 1000
)

// client speaks to a receiver's internal listener.
type client struct {
	http http.Client
	base string
}

func newClient(base string) *client {
	return &client{http: http.Client{Timeout: callTimeout}, base: strings.TrimSuffix(base, "/")}
}

// listed is an event of a listing, with the endpoint it belongs to.
type listed struct {
	Endpoint string `json:"endpoint"`
	queue.Summary
}

// endpoints lists what the receiver serves.
func (c *client) endpoints(ctx context.Context) ([]string, error) {
	var answer struct {
		Routes []struct{ Namespace, Name string }
	}
	if err := c.call(ctx, http.MethodGet, "/routes", nil, nil, &answer); err != nil {
		return nil, err
	}
	var names []string
	for _, route := range answer.Routes {
		if route.Name != "" {
			names = append(names, route.Namespace+"/"+route.Name)
		}
	}
	return names, nil
}

// list gathers the events of endpoints, latest change first.
func (c *client) list(ctx context.Context, endpoints []string, selected selection) ([]listed, error) {
	all := []listed{}
	for _, endpoint := range endpoints {
		found, err := c.listOne(ctx, endpoint, selected)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b listed) int { return b.ChangedAt.Compare(a.ChangedAt) })
	return all, nil
}

// listOne follows pages until the limit; a page may be short and have a next one.
func (c *client) listOne(ctx context.Context, endpoint string, selected selection) ([]listed, error) {
	var all []listed
	cursor := ""
	for {
		rest := selected
		rest.limit = pageLimit
		if selected.limit > 0 {
			rest.limit = min(selected.limit-len(all), pageLimit)
		}
		query := rest.query(endpoint)
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var page queue.Page
		if err := c.call(ctx, http.MethodGet, "/events", query, nil, &page); err != nil {
			return nil, err
		}
		for _, event := range page.Events {
			all = append(all, listed{Endpoint: endpoint, Summary: event})
		}
		if cursor = page.Next; cursor == "" || selected.limit > 0 && len(all) >= selected.limit {
			return all, nil
		}
	}
}

func (c *client) get(ctx context.Context, endpoint, id string) (*queue.Record, error) {
	var record queue.Record
	err := c.call(ctx, http.MethodGet, "/events/"+url.PathEscape(id), url.Values{"endpoint": {endpoint}}, nil, &record)
	return &record, err
}

type replayed struct {
	Replayed int `json:"replayed"`
}

func (c *client) replay(ctx context.Context, endpoint, id string, targets []string) (int, error) {
	var answer replayed
	err := c.call(ctx, http.MethodPost, "/events/"+url.PathEscape(id)+"/replay",
		url.Values{"endpoint": {endpoint}}, map[string][]string{"targets": targets}, &answer)
	return answer.Replayed, err
}

// call makes one request and reads its JSON answer.
func (c *client) call(ctx context.Context, method, path string, query url.Values, body, into any) error {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path+"?"+query.Encode(), content)
	if err != nil {
		return err
	}
	if method != http.MethodGet {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask the receiver: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return refusal(response)
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("the answer of %s is not the receiver's: %w", c.base+path, err)
	}
	return nil
}

// errNoTarget is of replays to targets that the endpoint has no longer.
var errNoTarget = errors.New("the endpoint no longer has the target")

// refusal is the error that an answer stands for.
func refusal(response *http.Response) error {
	var answer struct{ Error string }
	text, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	_ = json.Unmarshal(text, &answer)
	err := fmt.Errorf("the receiver answered %s: %s", response.Status, cmp.Or(answer.Error, string(bytes.TrimSpace(text))))
	switch response.StatusCode {
	case http.StatusBadRequest:
		return usage(err)
	case http.StatusConflict:
		return fmt.Errorf("%w: %w", errNoTarget, err)
	}
	return err
}
