//go:build !go1.27 || !goexperiment.jsonv2

package authentik

import (
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/go-json-experiment/json/jsontext"
)

// This file is what Go 1.26 alone needs, and 1.27 without its new encoding/json:
// with that, encoding/json itself keeps unknown members in a field with the tag
// option "embed". Delete the file when 1.26 is no longer supported.
//
// UnmarshalJSON and MarshalJSON are what encoding/json calls, UnmarshalJSONFrom
// what this SDK does, in one pass. A struct that embeds a model inherits them,
// and is neither decoded nor encoded itself: use a named field.

type plainFlowSet FlowSet

func (p *FlowSet) UnmarshalJSON(b []byte) error { return codec.Unmarshal(b, p) }
func (p *FlowSet) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	return codec.UnmarshalModel(d, p, (*plainFlowSet)(p))
}

func (p FlowSet) MarshalJSON() ([]byte, error) { return codec.Marshal(plainFlowSet(p)) }

type plainIdentificationStage IdentificationStage

func (p *IdentificationStage) UnmarshalJSON(b []byte) error { return codec.Unmarshal(b, p) }

func (p *IdentificationStage) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	return codec.UnmarshalModel(d, p, (*plainIdentificationStage)(p))
}

func (p IdentificationStage) MarshalJSON() ([]byte, error) {
	return codec.Marshal(plainIdentificationStage(p))
}

type plainPasswordStage PasswordStage

func (p *PasswordStage) UnmarshalJSON(b []byte) error { return codec.Unmarshal(b, p) }

func (p *PasswordStage) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	return codec.UnmarshalModel(d, p, (*plainPasswordStage)(p))
}

func (p PasswordStage) MarshalJSON() ([]byte, error) { return codec.Marshal(plainPasswordStage(p)) }

type plainSourceStage SourceStage

func (p *SourceStage) UnmarshalJSON(b []byte) error { return codec.Unmarshal(b, p) }
func (p *SourceStage) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	return codec.UnmarshalModel(d, p, (*plainSourceStage)(p))
}

func (p SourceStage) MarshalJSON() ([]byte, error) { return codec.Marshal(plainSourceStage(p)) }
