package verify

import (
	"context"
	"crypto"
	_ "crypto/sha1" //nolint:gosec // registers SHA-1, which SignatureVersion 1 uses
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// amazonSNS judges the messages of Amazon SNS: RSA over chosen fields of the
// JSON body, each with its name.
type amazonSNS struct {
	certificates *certificates
	topic        string
	tolerance    tolerance
	fields       extractor
}

// The fields of a message, in the order in which they are extracted.
const (
	snsMessage = iota
	snsMessageID
	snsSubject
	snsSubscribeURL
	snsTimestamp
	snsToken
	snsTopicARN
	snsType
	snsSignature
	snsVersion
	snsCertificateURL
)

var snsNames = []string{
	"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
	"Signature", "SignatureVersion", "SigningCertURL",
}

// What is signed of each type of message.
var (
	snsNotification = []int{snsMessage, snsMessageID, snsSubject, snsTimestamp, snsTopicARN, snsType}
	snsConfirmation = []int{
		snsMessage, snsMessageID, snsSubscribeURL, snsTimestamp, snsToken, snsTopicARN, snsType,
	}
)

// The addresses of Amazon SNS and of its certificates
// (docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).
var (
	snsHost = regexp.MustCompile(`^sns\.[a-z]{2,8}(-[a-z]{2,16}){1,3}-[0-9]{1,2}\.amazonaws\.com(\.cn)?$`)
	snsPath = regexp.MustCompile(`^/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem$`)
)

func newAmazonSNS(m material) (judge, error) {
	c, err := newCertificates(m, snsHost, snsPath, ".amazonaws.com")
	if err != nil {
		return nil, err
	}
	j := &amazonSNS{certificates: c, topic: m.options["topicARN"], tolerance: m.tolerance}
	j.fields.alone = true
	for _, name := range snsNames {
		if _, err := j.fields.add(name); err != nil {
			return nil, err
		}
	}
	return j, nil
}

func (j *amazonSNS) judge(ctx context.Context, request *Request) (proof, error) {
	var message values
	j.fields.extract(document(request), &message)
	kind, _ := message.get(snsType)
	claim, err := claimed(&message, kind)
	if err != nil {
		return proof{}, err
	}
	// Topic and time cost nothing, so they go before the certificate.
	if topic, _ := message.get(snsTopicARN); j.topic != "" && !secretEqual(topic, j.topic) {
		return proof{}, refuse(SignatureMismatch, "the topic of the message is not source.options.topicARN")
	}
	if err := j.fresh(&message, request.Now); err != nil {
		return proof{}, err
	}
	keys, err := j.certificates.keys(ctx, claim.certificate, request.Now)
	if err != nil {
		return proof{}, err
	}
	name, ok := signedRSA(keys, claim.hash, []byte(claim.content), claim.signature)
	if !ok {
		return proof{}, refuse(SignatureMismatch, "the certificate does not verify the signature")
	}
	result := proof{key: name, eventType: kind}
	result.id, _ = message.get(snsMessageID)
	if kind != "Notification" {
		result.handshake, err = j.confirm(ctx, &message, kind)
	}
	return result, err
}

// snsClaim is what a message says of its signature.
type snsClaim struct {
	hash        crypto.Hash
	content     string
	signature   []byte
	certificate string
}

// claimed reads the parts of the signature and what is signed.
func claimed(message *values, kind string) (claim snsClaim, err error) {
	text, ok := message.get(snsSignature)
	if !ok {
		return claim, refuse(SignatureMissing, "the body is not a message of Amazon SNS with a Signature "+
			"(raw message delivery must be off)")
	}
	if claim.signature, err = strictBase64.DecodeString(text); err != nil {
		return claim, refuse(SignatureMalformed, "Signature is not base64")
	}
	version, _ := message.get(snsVersion)
	if claim.hash, ok = map[string]crypto.Hash{"1": crypto.SHA1, "2": crypto.SHA256}[version]; !ok {
		return claim, refuse(SignatureMalformed, "SignatureVersion is neither 1 nor 2")
	}
	claim.certificate, _ = message.get(snsCertificateURL)
	claim.content, err = snsContent(message, kind)
	return claim, err
}

func snsContent(message *values, kind string) (string, error) {
	signed := snsConfirmation
	switch kind {
	case "Notification":
		signed = snsNotification
	case "SubscriptionConfirmation", "UnsubscribeConfirmation":
	default:
		return "", refuse(SignatureMalformed, "Type is none of Amazon SNS")
	}
	var content strings.Builder
	for _, field := range signed {
		value, ok := message.get(field)
		switch {
		case message.unclear(field):
			return "", refusef(SignatureMalformed, "%s occurs more than once or is not a text", snsNames[field])
		case !ok && field == snsSubject:
			continue
		case !ok:
			return "", refusef(SignatureMalformed, "%s is missing", snsNames[field])
		}
		content.WriteString(snsNames[field] + "\n" + value + "\n")
	}
	return content.String(), nil
}

func (j *amazonSNS) fresh(message *values, now time.Time) error {
	if j.tolerance.past == 0 {
		return nil
	}
	text, _ := message.get(snsTimestamp)
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return refuse(TimestampMissing, "Timestamp is not an RFC 3339 time")
	}
	return j.tolerance.check(at, now)
}

// confirm answers a verified confirmation. A subscription is confirmed by
// visiting the address in the message, which must be the provider's own.
func (j *amazonSNS) confirm(ctx context.Context, message *values, kind string) (*Response, error) {
	if kind == "SubscriptionConfirmation" {
		address, _ := message.get(snsSubscribeURL)
		if err := j.certificates.checkHost(address); err != nil {
			return nil, err
		}
		u, err := url.Parse(address)
		if err != nil || u.Query().Get("Action") != "ConfirmSubscription" {
			return nil, refuse(SignatureMalformed, "SubscribeURL does not confirm a subscription")
		}
		if err := j.certificates.fetch.visit(ctx, address); err != nil {
			return nil, errors.New("the subscription could not be confirmed: Amazon SNS will ask again")
		}
	}
	return reply(http.StatusOK, "", nil), nil
}
