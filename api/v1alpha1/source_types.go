package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Source is who sends the webhooks and how they are verified.
//
// +kubebuilder:validation:XValidation:rule="has(self.provider) != has(self.scheme)",message="exactly one of `provider` and `scheme` must be set: `provider` for a built-in one, `scheme` to describe the signature yourself"
type Source struct {
	// provider is the name of a built-in provider, as `postern providers` lists them;
	// "none" accepts requests without verification.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]+(-[a-z0-9]+)*$')",message="must be a provider's name in lower case with dashes, such as github or standard-webhooks; `postern providers` lists them"
	Provider string `json:"provider,omitempty"`

	// scheme describes how a provider that is not built in signs its requests.
	// +optional
	Scheme Scheme `json:"scheme,omitzero"`

	// toleranceSeconds is how far a signed timestamp may be from now, both ways; the
	// default is the provider's, mostly 300.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	ToleranceSeconds int32 `json:"toleranceSeconds,omitempty"`

	// options are what a provider needs besides the secret, such as webhookID or audience.
	// +optional
	// +kubebuilder:validation:MinProperties=1
	// +kubebuilder:validation:MaxProperties=32
	Options map[string]OptionValue `json:"options,omitempty"`

	// enforcement says what happens to requests that fail verification: Enforce
	// refuses them, Audit counts them and delivers them marked Postern-Verified: false.
	// +optional
	// +default="Enforce"
	Enforcement Enforcement `json:"enforcement,omitempty"`
}

// OptionValue is the value of a provider's option.
//
// +kubebuilder:validation:MaxLength=16384
type OptionValue string

// Enforcement says what happens to requests that fail verification.
//
// +kubebuilder:validation:Enum=Enforce;Audit
type Enforcement string

// Enforcements.
const (
	// EnforcementEnforce refuses them.
	EnforcementEnforce Enforcement = "Enforce"
	// EnforcementAudit counts them and delivers them marked as not verified.
	EnforcementAudit Enforcement = "Audit"
)

// SecretKeysReference names keys of a Secret in the same namespace.
type SecretKeysReference struct {
	// name is the Secret's name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be the name of a Secret in this namespace"
	Name string `json:"name,omitempty"`

	// keys are the Secret's keys that hold active secrets, the current one first; keys
	// after the first may be missing.
	// +optional
	// +default=["secret"]
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.all(k, self.exists_one(o, o == k))",message="must not name a key twice"
	Keys []SecretKey `json:"keys,omitempty"`
}

// SecretKey is the name of a key within a Secret.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="self.matches('^[-._a-zA-Z0-9]+$')",message="must be the name of a key in the Secret (letters, digits, '-', '_' and '.'), not the secret itself"
type SecretKey string

// Method is a request method.
//
// +kubebuilder:validation:Enum=POST;PUT;PATCH;GET;DELETE
type Method string

// Hostname is a host name in lower case, without port.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=253
// +kubebuilder:validation:XValidation:rule="!format.dns1123Subdomain().validate(self).hasValue()",message="must be a host name in lower case without scheme, port or wildcard, such as hooks.example.com"
type Hostname string

// IPRange is a CIDR or a single address.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=64
// +kubebuilder:validation:XValidation:rule="isIP(self) || isCIDR(self)",message="must be a CIDR such as 192.30.252.0/22 or 2a0a:a440::/29, or a single address"
// +kubebuilder:validation:XValidation:rule="!isCIDR(self) || cidr(self) == cidr(self).masked()",message="must start at the first address of its range: write 10.0.0.0/8 instead of 10.1.2.3/8, or 10.1.2.3 for that address alone"
type IPRange string

// AllowedIPRange is a CIDR, a single address, or provider:NAME.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=80
// +kubebuilder:validation:XValidation:rule="isIP(self) || isCIDR(self) || self.matches('^provider:[a-z0-9]+(-[a-z0-9]+)*$')",message="must be a CIDR such as 192.30.252.0/22 or 2a0a:a440::/29, a single address, or a provider that publishes its ranges, such as provider:github"
// +kubebuilder:validation:XValidation:rule="!isCIDR(self) || cidr(self) == cidr(self).masked()",message="must start at the first address of its range: write 10.0.0.0/8 instead of 10.1.2.3/8, or 10.1.2.3 for that address alone"
type AllowedIPRange string

// ProviderRanges is the prefix of an [AllowedIPRange] that names a provider.
const ProviderRanges = "provider:"

// PublishedAddressRanges is a provider's list as it is in force.
type PublishedAddressRanges struct {
	// provider publishes the list.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Provider string `json:"provider,omitempty"`

	// count is the number of ranges.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Count int32 `json:"count,omitempty"`

	// source is the address that the list was fetched from.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Source string `json:"source,omitempty"`

	// refreshTime is when the list was last fetched.
	// +optional
	RefreshTime metav1.Time `json:"refreshTime,omitzero"`
}
