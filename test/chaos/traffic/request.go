package traffic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/postern-dev/postern/test/chaos/history"
)

// answerBytes bounds what is read of an answer.
const answerBytes = 64 << 10

// work makes one try of a job and decides what comes next.
func (s *Senders) work(j *job, w *history.Writer) {
	ok := s.try(j, w)
	switch {
	case ok && !j.acked:
		j.acked = true
		s.acked.Add(1)
	case j.forged != "":
		<-s.slots
		return
	}
	wait := j.wait(s.options.MaxWait)
	if ok {
		if j.repeats == 0 {
			<-s.slots
			return
		}
		j.repeats--
		wait = s.options.MaxWait
	}
	if time.Since(j.born)+wait > s.options.Deadline {
		if !j.acked {
			s.givenUp.Add(1)
		}
		<-s.slots
		return
	}
	j.due = time.Now().Add(wait)
	s.later <- j
}

// try makes the requests of one try and tells whether one was answered 2xx.
func (s *Senders) try(j *job, w *history.Writer) bool {
	copies := j.copies
	j.copies = 1
	if copies == 1 {
		j.attempts++
		return s.request(j, j.attempts, w)
	}
	var group sync.WaitGroup
	results := make([]bool, copies)
	for n := range copies {
		j.attempts++
		attempt := j.attempts
		group.Go(func() { results[n] = s.request(j, attempt, w) })
	}
	group.Wait()
	for _, ok := range results {
		if ok {
			return true
		}
	}
	return false
}

// request makes one request and writes down both of its ends.
func (s *Senders) request(j *job, attempt int, w *history.Writer) bool {
	header, err := sign(j.endpoint.Provider, j.endpoint.Key,
		message{id: j.id, eventType: j.eventType, body: j.body, at: time.Now()}, j.forged)
	if err != nil {
		panic(err) // NewSenders has tried every provider
	}
	s.requests.Add(1)
	w.Write(history.Record{Send: &history.Send{
		ID: j.id, Endpoint: j.endpoint.Name, Type: j.eventType, Attempt: attempt,
		Body: history.Digest(j.body), Forged: j.forged,
	}})
	// Replicas get the first tries in turn, and each next try goes to the next one.
	url := j.endpoint.URLs[(j.number+attempt)%len(j.endpoint.URLs)]
	response := s.post(url, header, j.body)
	response.ID, response.Attempt = j.id, attempt
	w.Write(history.Record{Response: response})
	return succeeded(response.Code)
}

// post returns what the sender learned: an answer that was read in full, or
// why there is none.
func (s *Senders) post(url string, header http.Header, body []byte) *history.Response {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return &history.Response{Error: err.Error()}
	}
	request.Header = header
	answer, err := s.client.Do(request)
	if err != nil {
		return &history.Response{Error: reason(err)}
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, answerBytes))
	if err != nil {
		return &history.Response{Error: reason(err)}
	}
	var said struct{ Status, ID, Error string }
	if err := json.Unmarshal(content, &said); err != nil {
		said.Error = fmt.Sprintf("not JSON: %.40q", content)
	}
	response := &history.Response{Code: answer.StatusCode, Status: said.Status, EventID: said.ID}
	if !succeeded(response.Code) {
		response.Status = said.Error
	}
	return response
}

// reason is a short word for what kept an answer away; the text of errors
// names ports, which would make every line another one.
func reason(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return history.ErrorRefused
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "closed"
	default:
		return "failed"
	}
}

// Storm sends one event in many requests at the same moment, outside of Run's
// rate but while it runs, and tries until one is acknowledged.
func (s *Senders) Storm(ctx context.Context, number uint64, endpoint string, copies int) error {
	j := s.newJob(number)
	j.id, j.forged, j.repeats, j.copies = fmt.Sprintf("%s-storm-%d", s.options.Name, number), "", 0, copies
	for i := range s.options.Endpoints {
		if s.options.Endpoints[i].Name == endpoint {
			j.endpoint = &s.options.Endpoints[i]
		}
	}
	if j.endpoint.Name != endpoint {
		return fmt.Errorf("the senders do not send to %s", endpoint)
	}
	j.eventType = j.endpoint.Types[0]
	j.body = bodyOf(j.id, j.eventType, s.options.MinBody, j.chance)
	s.events.Add(1)
	for !s.try(j, s.writers[0]) {
		timer := time.NewTimer(j.wait(s.options.MaxWait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			s.givenUp.Add(1)
			return ctx.Err()
		}
	}
	s.acked.Add(1)
	return nil
}
