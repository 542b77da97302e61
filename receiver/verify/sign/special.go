package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// signer turns a draft into a request that its provider could have sent.
type signer func(*draft, Event) (*Request, error)

// specials sign for the presets that no declarative scheme describes.
var specials = map[string]signer{
	"adyen-payments":   signAdyen,
	"mailgun":          signMailgun,
	"figma":            inBody("passcode"),
	"microsoft-graph":  inBody("value[0].clientState"),
	"mailchimp":        inQuery("secret"),
	"docker-hub":       inQuery("secret"),
	"quay":             inQuery("secret"),
	"azure-event-grid": inQuery("code"),
	"cloudevents":      asBearer,
	"aircall":          inBody("token"),
	"sharepoint":       inBody("value[0].clientState"),
	"alertmanager":     authorize,
	"azure-devops":     authorize,
	"cloudinary":       signCloudinary,
	"lark":             signLark,
	"mollie":           signMollie,

	"twilio":     signedForm("X-Twilio-Signature", flatFields, true),
	"mandrill":   signedForm("X-Mandrill-Signature", mandrillFields, false),
	"braintree":  signBraintree,
	"contentful": signContentful,

	"netlify":    signNetlify,
	"monday":     signMonday,
	"fusionauth": signFusionAuth,
	"vonage":     signVonage,

	"sendgrid":      signSendGrid,
	"travis":        signTravis,
	"paypal":        signPayPal,
	"aws-sns":       signSNS,
	"plaid":         signPlaid,
	"google-pubsub": bearerToken,
	"oidc":          bearerToken,
}

// inBody puts the secret into the body.
func inBody(path string) signer {
	return func(d *draft, event Event) (*Request, error) {
		if event.Body == nil {
			if err := d.setJSON(path, string(event.Secret)); err != nil {
				return nil, err
			}
		}
		return d.request(), nil
	}
}

// inQuery puts the secret into the URL.
func inQuery(parameter string) signer {
	return func(d *draft, event Event) (*Request, error) {
		name := firstOf(event.Options["parameter"], parameter)
		d.query = url.Values{name: {string(event.Secret)}}.Encode()
		return d.request(), nil
	}
}

func asBearer(d *draft, event Event) (*Request, error) {
	d.header.Set("Authorization", "Bearer "+string(event.Secret))
	return d.request(), nil
}

func mac(secret []byte, content string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(content))
	return h.Sum(nil)
}

// signMailgun adds the signature object, which covers a fresh token.
func signMailgun(d *draft, event Event) (*Request, error) {
	if event.Body != nil {
		return d.request(), nil
	}
	timestamp := strconv.FormatInt(d.now.Unix(), 10)
	fields := map[string]any{
		"timestamp": timestamp, "token": d.id,
		"signature": hex.EncodeToString(mac(event.Secret, timestamp+d.id)),
	}
	return d.withJSON("signature", fields)
}

// withJSON sets a field and returns the request.
func (d *draft) withJSON(path string, value any) (*Request, error) {
	if err := d.setJSON(path, value); err != nil {
		return nil, err
	}
	return d.request(), nil
}

// signAdyen signs the one item of the sample.
func signAdyen(d *draft, event Event) (*Request, error) {
	if event.Body != nil {
		return d.request(), nil
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(event.Secret)))
	if err != nil {
		return nil, fmt.Errorf("sign: the key of adyen-payments is hexadecimal")
	}
	var document struct {
		NotificationItems []struct {
			NotificationRequestItem struct {
				PspReference, OriginalReference, MerchantAccountCode, MerchantReference string
				Amount                                                                  struct {
					Value    json.Number
					Currency string
				}
				EventCode, Success string
			}
		}
	}
	if err := json.Unmarshal(d.body, &document); err != nil || len(document.NotificationItems) == 0 {
		return nil, fmt.Errorf("sign: the sample body has no items")
	}
	item := document.NotificationItems[0].NotificationRequestItem
	content := strings.Join([]string{
		item.PspReference, item.OriginalReference, item.MerchantAccountCode, item.MerchantReference,
		item.Amount.Value.String(), item.Amount.Currency, item.EventCode, item.Success,
	}, ":")
	return d.withJSON("notificationItems[0].NotificationRequestItem.additionalData.hmacSignature",
		base64.StdEncoding.EncodeToString(mac(secret, content)))
}
