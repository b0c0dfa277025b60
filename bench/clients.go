package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/bench/rivals/oapi"
	"github.com/authentik-go/authentik/bench/rivals/ogen"
	"github.com/google/uuid"
)

const token = "token"

// fetch asks for one page and returns how many stages it has and the number of
// the next one.
type fetch func(ctx context.Context, page int) (stages, next int, err error)

// clients are the SDK and its rivals, each over the given http.Client.
func clients(baseURL string, hc *http.Client) map[string]fetch {
	return map[string]fetch{
		"SDK":          sdkFetch(baseURL, hc),
		"net/http":     bareFetch(baseURL, hc),
		"oapi-codegen": oapiFetch(baseURL, hc),
		"ogen":         ogenFetch(baseURL, hc),
	}
}

func newSDK(baseURL string, hc *http.Client) *authentik.Client {
	client, err := authentik.NewClient(baseURL, token, authentik.WithHTTPClient(hc))
	check(err)
	return client
}

func sdkFetch(baseURL string, hc *http.Client) fetch {
	client := newSDK(baseURL, hc)
	return func(ctx context.Context, page int) (int, int, error) {
		p, err := client.StagesIdentification.List(ctx, &authentik.StagesIdentificationListOptions{
			ListOptions: authentik.ListOptions{Page: page, PageSize: 100},
		})
		if err != nil {
			return 0, 0, err
		}
		return len(p.Results), p.Pagination.Next, nil
	}
}

// bareFlow, bareStage and barePage are the SDK's models without Extra.
type (
	bareFlow struct {
		PK                      uuid.UUID `json:"pk"`
		PolicybindingmodelPtrID uuid.UUID `json:"policybindingmodel_ptr_id"`
		Name                    string    `json:"name"`
		Slug                    string    `json:"slug"`
		Title                   string    `json:"title"`
		Designation             string    `json:"designation"`
		Background              string    `json:"background"`
		BackgroundURL           string    `json:"background_url"`
		PolicyEngineMode        string    `json:"policy_engine_mode"`
		CompatibilityMode       bool      `json:"compatibility_mode"`
		ExportURL               string    `json:"export_url"`
		Layout                  string    `json:"layout"`
		DeniedAction            string    `json:"denied_action"`
	}
	bareStage struct {
		PK                      uuid.UUID   `json:"pk"`
		Name                    string      `json:"name"`
		Component               string      `json:"component"`
		VerboseName             string      `json:"verbose_name"`
		VerboseNamePlural       string      `json:"verbose_name_plural"`
		MetaModelName           string      `json:"meta_model_name"`
		FlowSet                 []bareFlow  `json:"flow_set"`
		UserFields              []string    `json:"user_fields"`
		PasswordStage           *uuid.UUID  `json:"password_stage"`
		CaptchaStage            *uuid.UUID  `json:"captcha_stage"`
		WebauthnStage           *uuid.UUID  `json:"webauthn_stage"`
		CaseInsensitiveMatching bool        `json:"case_insensitive_matching"`
		ShowMatchedUser         bool        `json:"show_matched_user"`
		EnrollmentFlow          *uuid.UUID  `json:"enrollment_flow"`
		RecoveryFlow            *uuid.UUID  `json:"recovery_flow"`
		PasswordlessFlow        *uuid.UUID  `json:"passwordless_flow"`
		Sources                 []uuid.UUID `json:"sources"`
		ShowSourceLabels        bool        `json:"show_source_labels"`
		PretendUserExists       bool        `json:"pretend_user_exists"`
		EnableRememberMe        bool        `json:"enable_remember_me"`
	}
	barePage struct {
		Pagination struct {
			Next int `json:"next"`
		} `json:"pagination"`
		Results []bareStage `json:"results"`
	}
)

// bareFetch is what a program does without a library.
func bareFetch(baseURL string, hc *http.Client) fetch {
	return func(ctx context.Context, page int) (int, int, error) {
		b, err := bareGet(ctx, hc, baseURL+"/api/v3/stages/identification/?page_size=100&page="+strconv.Itoa(page))
		if err != nil {
			return 0, 0, err
		}
		var p barePage
		if err := json.Unmarshal(b, &p); err != nil {
			return 0, 0, err
		}
		return len(p.Results), p.Pagination.Next, nil
	}
}

func bareGet(ctx context.Context, hc *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := hc.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	return io.ReadAll(resp.Body)
}

func oapiFetch(baseURL string, hc *http.Client) fetch {
	client, err := oapi.NewClientWithResponses(baseURL+"/api/v3", oapi.WithHTTPClient(hc),
		oapi.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
			req.Header.Set("Authorization", "Bearer "+token)
			return nil
		}))
	check(err)
	return func(ctx context.Context, page int) (int, int, error) {
		resp, err := client.StagesIdentificationListWithResponse(ctx, &oapi.StagesIdentificationListParams{Page: &page, PageSize: new(100)})
		if err != nil {
			return 0, 0, err
		}
		if resp.JSON200 == nil {
			return 0, 0, fmt.Errorf("status %d", resp.StatusCode())
		}
		return len(resp.JSON200.Results), int(resp.JSON200.Pagination.Next), nil
	}
}

type ogenToken struct{}

func (ogenToken) Authentik(context.Context, ogen.OperationName) (ogen.Authentik, error) {
	return ogen.Authentik{Token: token}, nil
}

func ogenFetch(baseURL string, hc *http.Client) fetch {
	client, err := ogen.NewClient(baseURL+"/api/v3", ogenToken{}, ogen.WithClient(hc))
	check(err)
	return func(ctx context.Context, page int) (int, int, error) {
		resp, err := client.StagesIdentificationList(ctx, ogen.StagesIdentificationListParams{
			Page: ogen.NewOptInt(page), PageSize: ogen.NewOptInt(100),
		})
		if err != nil {
			return 0, 0, err
		}
		list, ok := resp.(*ogen.PaginatedIdentificationStageList)
		if !ok {
			return 0, 0, fmt.Errorf("answer %T", resp)
		}
		return len(list.Results), int(list.Pagination.Next), nil
	}
}
