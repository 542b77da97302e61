package ranges

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
)

func (k *Keeper) fetch(ctx context.Context, list List) ([]netip.Prefix, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, list.URL, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	response, err := k.options.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", list.URL, response.StatusCode)
	}
	document, err := io.ReadAll(io.LimitReader(response.Body, maxDocument+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", list.URL, err)
	case len(document) > maxDocument:
		return nil, fmt.Errorf("%s is longer than %d bytes", list.URL, maxDocument)
	}
	prefixes, err := list.parse(document)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", list.URL, err)
	}
	return prefixes, nil
}
