package verify

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/go-jose/go-jose/v4"
)

const (
	optionTenantID       = "tenantID"
	optionAudience       = "audience"
	optionApplicationID  = "applicationID"
	optionIssuer         = "issuer"
	optionQueryParameter = "parameter"
	// defaultParameter is the query parameter with the secret of an Event Grid URL.
	defaultParameter = "code"
)

// eventGridApplication is Event Grid's own application in the public cloud
// (learn.microsoft.com/azure/event-grid/secure-webhook-delivery).
const eventGridApplication = "4962773b-9cdb-44cf-a8bf-237846a00ab7"

var entraTenant = regexp.MustCompile(`^[A-Za-z0-9.-]{1,128}$`)

// newEventGrid judges Azure Event Grid: by a Microsoft Entra token when an
// audience is configured, else by a secret in the query of the URL.
func newEventGrid(m material) (judge, error) {
	if m.options[optionAudience] == "" {
		if len(m.keys) == 0 {
			return nil, errors.New("source.options.audience: set it with tenantID for Microsoft Entra tokens, " +
				"or set secretRef for a secret in the URL's query")
		}
		name := m.options[optionQueryParameter]
		if name == "" {
			name = defaultParameter
		}
		return &queryToken{keys: m.keys, parameter: name}, nil
	}
	address, issuers, err := entra(m.options)
	if err != nil {
		return nil, err
	}
	keys, err := newPublicKeys(m, address)
	if err != nil {
		return nil, err
	}
	application := m.options[optionApplicationID]
	if application == "" {
		return nil, errors.New("source.options.applicationID: set it with audience, to the application that asks for the " +
			"token, which is " + eventGridApplication + " for Event Grid in the public cloud: any other application of the " +
			"tenant can get a token with your audience")
	}
	return &bearerToken{
		tokens:  tokens{algorithms: []jose.SignatureAlgorithm{jose.RS256}, keys: keys},
		issuers: issuers, audience: m.options[optionAudience],
		claims: func(t *webToken) error {
			if secretEqual(t.text("azp"), application) || secretEqual(t.text("appid"), application) {
				return nil
			}
			return refuse(SignatureMismatch, "the token is of another application than source.options.applicationID")
		},
	}, nil
}

// entra returns where a tenant's keys are published and how it names itself in
// tokens of both versions.
func entra(options map[string]string) (address string, issuers []string, err error) {
	if issuer := options[optionIssuer]; issuer != "" {
		issuers = append(issuers, issuer)
	}
	tenant := options[optionTenantID]
	if tenant == "" {
		if len(issuers) == 0 {
			return "", nil, errors.New("source.options.tenantID: set it to the Microsoft Entra tenant that issues the tokens")
		}
		return "", issuers, nil
	}
	if !entraTenant.MatchString(tenant) {
		return "", nil, fmt.Errorf("source.options.tenantID: %q is not a tenant id", tenant)
	}
	const host = "https://login.microsoftonline.com/"
	issuers = append(issuers, host+tenant+"/v2.0", "https://sts.windows.net/"+tenant+"/")
	return host + tenant + "/discovery/v2.0/keys", issuers, nil
}

// answerEventGrid answers the validation event of a new subscription. Where the
// header says what the request is, an event of that type does not pass for one.
func answerEventGrid(_ *greeting, _ proof, request *Request) (*Response, error) {
	f := jsonFields(document(request), "[0].eventType", "[0].data.validationCode")
	kind := request.Header.Get("Aeg-Event-Type")
	if kind != "SubscriptionValidation" && (kind != "" || f[0] != "Microsoft.EventGrid.SubscriptionValidationEvent") {
		return nil, nil
	}
	if f[1] == "" {
		return nil, refuse(SignatureMalformed, "the validation event has no data.validationCode")
	}
	return replyJSON(map[string]string{"validationResponse": f[1]})
}
