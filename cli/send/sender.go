package send

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postern-dev/postern/cli/exit"
	"github.com/postern-dev/postern/receiver/verify/sign"
)

// maxAnswerBytes bounds how much of an answer is read.
const maxAnswerBytes = 1 << 20

// sender posts signed events to one URL.
type sender struct {
	client http.Client
	url    string
}

func (s *sender) send(ctx context.Context, event sign.Event) (answer, error) {
	signed, err := sign.Build(event)
	if err != nil {
		return answer{}, exit.Usagef("%w", err)
	}
	request, err := s.request(ctx, signed)
	if err != nil {
		return answer{}, err
	}
	began := time.Now()
	response, err := s.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	millis := float64(time.Since(began).Microseconds()) / 1000
	return answer{Status: response.StatusCode, LatencyMillis: millis, Body: string(body)}, nil
}

// request adds the signed query, for schemes that have their proof there, to
// the one that the URL has.
func (s *sender) request(ctx context.Context, signed *sign.Request) (*http.Request, error) {
	target, err := url.Parse(s.url)
	if err != nil {
		return nil, err
	}
	target.RawQuery = strings.Trim(target.RawQuery+"&"+signed.RawQuery, "&")
	request, err := http.NewRequestWithContext(ctx, signed.Method, target.String(), bytes.NewReader(signed.Body))
	if err != nil {
		return nil, err
	}
	request.Header = signed.Header
	return request, nil
}
