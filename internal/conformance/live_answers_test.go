package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/contract/sdk"
)

// listener keeps the body of the last answer.
type listener struct {
	http.RoundTripper

	mu   sync.Mutex
	body []byte
}

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.body = body
	return response, err
}

// TestLiveAnswers reads what a running server has without naming an object, each page
// of each list too. What is decoded and encoded again is what came: null is null, and
// nothing is lost.
func TestLiveAnswers(t *testing.T) {
	t.Parallel()
	liveClient(t)
	heard := &listener{RoundTripper: httpClient(t).Transport}
	client, err := authentik.NewClient(os.Getenv("AUTHENTIK_TEST_URL"), os.Getenv("AUTHENTIK_TEST_TOKEN"), authentik.WithHTTPClient(&http.Client{Transport: heard}), authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.ServerVersion(t.Context()); err != nil { // so that the last answer is the one that is asked for
		t.Fatal(err)
	}
	answers, objects := 0, 0
	for _, m := range methods() {
		if m.asks.Method != http.MethodGet || strings.Contains(m.asks.Path, "{") || m.Name == "All" || m.Name == "List" && sdk.ModelOf(m.Of(client).Type()) != nil && isPaged(m, client) {
			continue // Pages reads it
		}
		f := m.Of(client)
		check := func(result reflect.Value) {
			answers++
			var sent, got any
			b, err := json.Marshal(result.Interface())
			if err := errors.Join(err, json.Unmarshal(heard.body, &sent), json.Unmarshal(b, &got)); err != nil {
				return // what is no JSON
			}
			if page, isPage := sent.(document); isPage && page["pagination"] != nil {
				objects += len(page["results"].([]any))
			}
			for _, difference := range unequal(newest(sent, result.Type()), got, m.asks.Path) {
				t.Error(difference)
			}
		}
		out := f.Call(sdk.Arguments(t.Context(), f.Type()))
		if out[0].Kind() != reflect.Func {
			if err, _ := reflect.TypeAssert[error](out[len(out)-1]); !isAnswered(err) {
				t.Errorf("%v: %v", m, err)
			} else if err == nil && len(out) > 1 {
				check(out[0])
			}
			continue
		}
		for page, e := range out[0].Seq2() {
			if err, _ := reflect.TypeAssert[error](e); err == nil {
				check(page)
			} else if !isAnswered(err) {
				t.Errorf("%v: %v", m, err)
			}
		}
	}
	t.Logf("%d answers, %d objects in pages", answers, objects)
	if answers < 100 {
		t.Errorf("only %d answers", answers)
	}
}

// isPaged reports whether the method's list has pages.
func isPaged(m method, client *authentik.Client) bool {
	return strings.Contains(m.Of(client).Type().Out(0).String(), "Page[")
}

// isAnswered reports whether err is the server's own answer, such as that a query is
// needed, or there is none: what its worker does takes for ever if that does not run.
func isAnswered(err error) bool {
	_, isAPIError := errors.AsType[*authentik.APIError](err)
	return err == nil || isAPIError || errors.Is(err, os.ErrDeadlineExceeded)
}

// TestLiveForms writes what older releases take in another form, and reads it again.
func TestLiveForms(t *testing.T) {
	t.Parallel()
	client := liveClient(t)
	ctx, name := t.Context(), fmt.Sprintf("live-forms-%d", time.Now().UnixNano())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	flow, err := client.FlowsInstances.Create(ctx, &authentik.FlowRequest{Name: name, Slug: name, Title: name, Designation: authentik.FlowDesignationAuthorization})
	must(err)
	t.Cleanup(func() { _ = client.FlowsInstances.Delete(context.Background(), flow.Slug) })
	uris := []authentik.RedirectURIRequest{
		{MatchingMode: authentik.MatchingModeStrict, URL: "https://one.example/callback"},
		{MatchingMode: authentik.MatchingModeStrict, URL: "https://two.example/callback"},
	}
	request := authentik.OAuth2ProviderRequest{Name: name, AuthorizationFlow: flow.PK, InvalidationFlow: flow.PK, RedirectURIs: uris}
	provider, err := client.ProvidersOAuth2.Create(ctx, &request)
	must(err)
	t.Cleanup(func() { _ = client.ProvidersOAuth2.Delete(context.Background(), provider.PK) })
	provider, err = client.ProvidersOAuth2.Retrieve(ctx, provider.PK)
	must(err)
	if len(provider.RedirectURIs) != 2 || provider.RedirectURIs[0].URL != uris[0].URL || provider.RedirectURIs[1].URL != uris[1].URL {
		t.Errorf("the provider has %+v", provider.RedirectURIs)
	}
	request.Name += "-2"
	_, err = client.CoreTransactionalApplications.Create(ctx, &authentik.TransactionApplicationRequest{
		App: &authentik.ApplicationRequest{Name: name, Slug: name}, ProviderModel: authentik.ProviderModelOAuth2, Provider: &request,
	})
	must(err)
	t.Cleanup(func() { _ = client.CoreApplications.Delete(context.Background(), name) })
	application, err := client.CoreApplications.Retrieve(ctx, name)
	must(err)
	t.Cleanup(func() { _ = client.ProvidersOAuth2.Delete(context.Background(), *application.Provider) })
	if inside, err := client.ProvidersOAuth2.Retrieve(ctx, *application.Provider); err != nil || len(inside.RedirectURIs) != 2 {
		t.Errorf("the application's provider is %+v, error %v", inside, err)
	}
	email, err := client.StagesEmail.Create(ctx, &authentik.EmailStageRequest{Name: name, TokenExpiry: new("hours=1")})
	must(err)
	t.Cleanup(func() { _ = client.StagesEmail.Delete(context.Background(), email.PK) })
	if d, err := authentik.ParseDuration(string(email.TokenExpiry)); err != nil || d != time.Hour {
		t.Errorf("the link counts for %s", email.TokenExpiry)
	}
	totp, err := client.StagesAuthenticatorTOTP.Create(ctx, &authentik.AuthenticatorTOTPStageRequest{
		Name: name + "-totp", Digits: authentik.TOTPDigits8, FriendlyName: new("Code"),
	})
	must(err)
	t.Cleanup(func() { _ = client.StagesAuthenticatorTOTP.Delete(context.Background(), totp.PK) })
	updated, err := client.StagesAuthenticatorTOTP.Update(ctx, totp.PK, &authentik.AuthenticatorTOTPStageRequest{FriendlyName: new("")})
	must(err)
	if updated.Digits != authentik.TOTPDigits8 || updated.FriendlyName != nil && *updated.FriendlyName != "" {
		t.Errorf("the stage is %+v", updated)
	}
}

// unequal are the members of want and got that differ, null and zero too. A member that
// the server did not send may be zero.
func unequal(want, got any, path string) []string {
	switch want := want.(type) {
	case document:
		object, isObject := got.(document)
		if !isObject {
			break
		}
		var different []string
		for name, value := range want {
			different = append(different, unequal(value, object[name], path+"."+name)...)
		}
		return different
	case []any:
		list, isList := got.([]any)
		if !isList || len(list) != len(want) {
			break
		}
		var different []string
		for i := range want {
			different = append(different, unequal(want[i], list[i], path+"[]")...)
		}
		return different
	}
	if reflect.DeepEqual(want, got) {
		return nil
	}
	return []string{path + " was " + shortJSON(want) + " and is " + shortJSON(got)}
}

func shortJSON(v any) string {
	b, _ := json.Marshal(v) // it was JSON
	return string(b[:min(len(b), 100)])
}
