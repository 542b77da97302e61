package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// gitHubBody holds what a re-serialisation would change: the order of keys,
// escapes, a number's form, blanks and the newline at the end.
const gitHubBody = `{"zen": "Speak like a human.",  "ref":"refs\/heads\/main", "n": 1.0, "é":"\u00e9<>&"}` + "\n"

const stripeBody = "{\n  \"id\": \"evt_1Demo\",\n  \"object\": \"event\",\n  \"type\": \"invoice.paid\",\n" +
	"  \"pending_webhooks\": 1\n}"

const pushID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"

// applyGitHub applies secret and endpoint, and measures until the first event is
// accepted and until Ready.
func (s *stage) applyGitHub(ctx context.Context) error {
	headline("A team applies a WebhookEndpoint")
	s.githubSecret, s.stripeSecret = rand.Text(), "whsec_"+rand.Text()
	if _, err := s.write("github.secret", []byte(s.githubSecret)); err != nil {
		return err
	}
	if _, err := s.write("stripe.secret", []byte(s.stripeSecret)); err != nil {
		return err
	}
	if err := s.applyManifest(ctx, "tenant.yaml"); err != nil {
		return err
	}
	s.begin()
	if err := s.applyManifest(ctx, "github.yaml", "${GITHUB_SECRET}", s.githubSecret); err != nil {
		return err
	}
	if err := s.untilAccepted(ctx, s.githubSecret); err != nil {
		return err
	}
	s.shown("applied ci/github: the first signed event was accepted")
	if err := s.awaitReady(ctx, "github"); err != nil {
		return err
	}
	s.shown("ci/github is Ready: the manager asked the receiver, which has loaded this very route")
	if err := s.applyManifest(ctx, "stripe.yaml", "${STRIPE_SECRET}", s.stripeSecret); err != nil {
		return err
	}
	return s.awaitReady(ctx, "stripe")
}

// untilAccepted posts signed events until one is accepted.
func (s *stage) untilAccepted(ctx context.Context, secret string) error {
	return until(ctx, "a signed event to be accepted", func(ctx context.Context) error {
		got, err := s.postGitHub(ctx, gitHubRequest{secret: secret, id: rand.Text(), body: gitHubBody})
		if err != nil {
			return err
		}
		return got.is(http.StatusOK, "accepted")
	})
}

func (s *stage) showGitHub(ctx context.Context) error {
	headline("Events arrive")
	s.begin()
	got, err := s.send(ctx, "github", "/ci/github", gitHubBody, pushID, "push")
	if err != nil {
		return err
	}
	if err := s.delivered(ctx, "builder", got, gitHubBody, "/hooks/github", "push"); err != nil {
		return err
	}
	s.shown("a signed GitHub push: %s, delivered byte for byte", got)
	return nil
}

func (s *stage) showStripe(ctx context.Context) error {
	s.begin()
	got, err := s.send(ctx, "stripe", "/ci/stripe", stripeBody, "", "invoice.paid")
	if err != nil {
		return err
	}
	if err := s.delivered(ctx, "billing", got, stripeBody, "/", "invoice.paid"); err != nil {
		return err
	}
	s.shown("a signed Stripe event: %s, delivered byte for byte", got)
	return nil
}

// delivered checks that an event was accepted and reached its target unchanged.
func (s *stage) delivered(ctx context.Context, service string, got answer, body, path, eventType string) error {
	if err := got.is(http.StatusOK, "accepted"); err != nil {
		return err
	}
	d, err := s.targets[service].await(ctx, got.ID)
	if err != nil {
		return err
	}
	switch {
	case string(d.body) != body:
		return fmt.Errorf("the body changed on its way: sent %q, arrived %q", body, d.body)
	case d.path != path:
		return fmt.Errorf("delivered to path %s, want %s", d.path, path)
	case d.header.Get("Postern-Event-Type") != eventType:
		return fmt.Errorf("the event's type is %q, want %q", d.header.Get("Postern-Event-Type"), eventType)
	case d.header.Get("Postern-Verified") != "true":
		return errors.New("the event arrived without Postern-Verified: true")
	}
	return nil
}

func (s *stage) showDuplicate(ctx context.Context) error {
	s.begin()
	got, err := s.send(ctx, "github", "/ci/github", gitHubBody, pushID, "push")
	if err != nil {
		return err
	}
	if err := got.is(http.StatusOK, "duplicate"); err != nil {
		return err
	}
	// The next event is delivered after anything that the duplicate might have caused.
	next, err := s.send(ctx, "github", "/ci/github", gitHubBody, "after-the-duplicate", "push")
	if err != nil {
		return err
	}
	if _, err := s.targets["builder"].await(ctx, next.ID); err != nil {
		return err
	}
	if n := len(s.targets["builder"].event(got.ID)); n != 1 {
		return fmt.Errorf("the target got the event %d times, want once", n)
	}
	s.shown("the same push again: %s, and the target has it once", got)
	return nil
}

func (s *stage) showForged(ctx context.Context) error {
	s.begin()
	got, err := s.postGitHub(ctx, gitHubRequest{secret: "a guess", id: rand.Text(), body: gitHubBody})
	if err != nil {
		return err
	}
	if err := got.is(http.StatusUnauthorized, "signature_mismatch"); err != nil {
		return err
	}
	s.shown("a forged push: %s", got)
	return nil
}

func (s *stage) showForeignAddress(ctx context.Context) error {
	s.begin()
	outside := gitHubRequest{secret: s.githubSecret, id: rand.Text(), body: gitHubBody, client: "203.0.113.9"}
	got, err := s.postGitHub(ctx, outside)
	if err != nil {
		return err
	}
	if err := got.is(http.StatusForbidden, "ip_not_allowed"); err != nil {
		return err
	}
	s.shown("a well signed push from 203.0.113.9, which is not GitHub: %s", got)

	s.begin()
	outside.client = "192.30.252.44"
	if got, err = s.postGitHub(ctx, outside); err != nil {
		return err
	}
	if err := got.is(http.StatusOK, "accepted"); err != nil {
		return err
	}
	s.shown("the same push from 192.30.252.44, which is: %s", got)
	return nil
}

func (s *stage) showOutage(ctx context.Context) error {
	headline("The target is down for a while")
	builder := s.targets["builder"]
	builder.stop()
	s.begin()
	got, err := s.send(ctx, "github", "/ci/github", gitHubBody, "during-the-outage", "push")
	if err != nil {
		return err
	}
	if err := got.is(http.StatusOK, "accepted"); err != nil {
		return err
	}
	s.shown("the target is stopped, the sender gets its answer all the same: %s", got)
	// Long enough that the first attempts have failed.
	select {
	case <-time.After(1500 * time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	if n := len(builder.event(got.ID)); n != 0 {
		return errors.New("the event arrived at a target that is stopped")
	}
	if err := builder.start(); err != nil {
		return fmt.Errorf("start the target again: %w", err)
	}
	s.begin()
	if err := s.delivered(ctx, "builder", got, gitHubBody, "/hooks/github", "push"); err != nil {
		return err
	}
	s.shown("the target is back, and the event arrived")
	return nil
}

func (s *stage) showRotation(ctx context.Context) error {
	headline("The secret is rotated")
	before, after := s.githubSecret, rand.Text()
	s.begin()
	if err := s.applyManifest(ctx, "github.yaml", "${GITHUB_SECRET}", after); err != nil {
		return err
	}
	if err := s.untilAccepted(ctx, after); err != nil {
		return err
	}
	s.shown("the new secret is accepted; nothing was restarted")
	s.githubSecret = after
	if _, err := s.write("github.secret", []byte(after)); err != nil {
		return err
	}
	s.begin()
	got, err := s.postGitHub(ctx, gitHubRequest{secret: before, id: rand.Text(), body: gitHubBody})
	if err != nil {
		return err
	}
	if err := got.is(http.StatusUnauthorized, "signature_mismatch"); err != nil {
		return err
	}
	s.shown("the old secret is refused: %s", got)
	return nil
}
