package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	slackChallenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
	slackBody      = `{"type":"event_callback","event_id":"Ev0DEMO",` +
		`"event":{"type":"app_mention","text":"<@U0> ship it \ud83d\ude80"}}`
	shopifyBody = `{"id":820982911946154508,"total_price":"598.94","note":"a \u003cb\u003e"}`
)

// applyProviders applies an endpoint for each of two more providers.
func (s *stage) applyProviders(ctx context.Context) error {
	headline("Two more providers")
	s.slackSecret = rand.Text()
	shopifySecret := rand.Text()
	if _, err := s.write("slack.secret", []byte(s.slackSecret)); err != nil {
		return err
	}
	if _, err := s.write("shopify.secret", []byte(shopifySecret)); err != nil {
		return err
	}
	s.begin()
	if err := s.applyManifest(ctx, "providers.yaml",
		"${SLACK_SECRET}", s.slackSecret, "${SHOPIFY_SECRET}", shopifySecret); err != nil {
		return err
	}
	for _, name := range []string{"slack", "shopify"} {
		if err := s.awaitReady(ctx, name); err != nil {
			return err
		}
	}
	s.shown("applied ci/slack and ci/shopify: both are Ready")
	return nil
}

// showSlack shows the handshake, whose signature is made here and not by
// Postern, and an event.
func (s *stage) showSlack(ctx context.Context) error {
	s.begin()
	echoed, err := s.slackHandshake(ctx)
	if err != nil {
		return err
	}
	if echoed != slackChallenge {
		return fmt.Errorf("the challenge was answered %q, want %q", echoed, slackChallenge)
	}
	s.shown("Slack checks the new URL: its signed challenge is answered, and makes no event")
	s.begin()
	got, err := s.send(ctx, "slack", "/ci/slack", slackBody, "", "app_mention")
	if err != nil {
		return err
	}
	if err := s.delivered(ctx, "builder", got, slackBody, "/hooks/slack", "app_mention"); err != nil {
		return err
	}
	s.shown("a signed Slack event: %s, delivered byte for byte", got)
	return nil
}

func (s *stage) slackHandshake(ctx context.Context) (string, error) {
	body := `{"type":"url_verification","challenge":"` + slackChallenge + `"}`
	at := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(s.slackSecret))
	mac.Write([]byte("v0:" + at + ":" + body))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.public+"/ci/slack", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Slack-Request-Timestamp", at)
	request.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	code, text, err := s.do(request)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("the handshake was answered %d %s, want 200", code, text)
	}
	return text, err
}

func (s *stage) showShopify(ctx context.Context) error {
	s.begin()
	got, err := s.send(ctx, "shopify", "/ci/shopify", shopifyBody, rand.Text(), "orders/create")
	if err != nil {
		return err
	}
	if err := s.delivered(ctx, "billing", got, shopifyBody, "/", "orders/create"); err != nil {
		return err
	}
	s.shown("a signed Shopify order: %s, delivered byte for byte", got)
	return nil
}
