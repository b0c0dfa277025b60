package authentik_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/google/uuid"
)

// TestDeviceToken sends the token of a device by its own scheme.
func TestDeviceToken(t *testing.T) {
	t.Parallel()
	var sent string
	client, err := authentik.NewClient(baseURL, "token", authentik.WithDeviceToken(), authentik.WithRetries(0, 0, 0), authentik.WithHTTPClient(&http.Client{
		Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			sent = req.Header.Get("Authorization")
			return nil, context.Canceled
		}),
	}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.EndpointsAgentsConnectors.AgentConfig(t.Context()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if sent != "Bearer+agent token" {
		t.Errorf("sent %q", sent)
	}
}

// TestWithoutToken sends none, and takes none.
func TestWithoutToken(t *testing.T) {
	t.Parallel()
	sent := http.Header{}
	hc := &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		sent = req.Header.Clone()
		return nil, context.Canceled
	})}
	client, err := authentik.NewClient(baseURL, "", authentik.WithoutToken(), authentik.WithHTTPClient(hc), authentik.WithRetries(0, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreBrands.Current(t.Context()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if sent.Get("User-Agent") == "" || len(sent["Authorization"]) > 0 {
		t.Errorf("sent %v", sent)
	}
	if _, err := authentik.NewClient(baseURL, "token", authentik.WithoutToken()); err == nil {
		t.Error("a token is taken")
	}
	for _, token := range []string{"", "token", "Bearer token"} {
		sent = nil
		env := map[string]string{"AUTHENTIK_URL": baseURL, "AUTHENTIK_TOKEN": token}
		client, err := authentik.NewClientFrom(func(name string) string { return env[name] }, authentik.WithoutToken(), authentik.WithHTTPClient(hc), authentik.WithRetries(0, 0, 0))
		if err != nil {
			t.Errorf("AUTHENTIK_TOKEN=%s: %v", token, err)
			continue
		}
		if _, err := client.CoreBrands.Current(t.Context()); !errors.Is(err, context.Canceled) || len(sent["Authorization"]) > 0 {
			t.Errorf("AUTHENTIK_TOKEN=%s: sent %v, %v", token, sent, err)
		}
	}
}

// TestLiveAgent enrols a device at the server that the environment names, of 2025.12
// or newer, and acts as its agent.
func TestLiveAgent(t *testing.T) {
	t.Parallel()
	url := os.Getenv("AUTHENTIK_TEST_URL")
	if url == "" {
		t.Skip("AUTHENTIK_TEST_URL and AUTHENTIK_TEST_TOKEN name no server")
	}
	ctx := t.Context()
	admin, err := authentik.NewClient(url, os.Getenv("AUTHENTIK_TEST_TOKEN"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(admin.CloseIdleConnections)
	name := fmt.Sprintf("go-agent-%d", time.Now().UnixNano()%1e9)
	connector, err := admin.EndpointsAgentsConnectors.Create(ctx, &authentik.AgentConnectorRequest{Name: name, AuthorizationFlow: authentik.Null[uuid.UUID]()})
	if api, ok := errors.AsType[*authentik.APIError](err); ok && api.StatusCode == http.StatusMethodNotAllowed {
		t.Skip("the server has no agents")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.EndpointsAgentsConnectors.Delete(context.Background(), connector.ConnectorUUID) })
	enrollment, err := admin.EndpointsAgentsEnrollmentTokens.Create(ctx, &authentik.EnrollmentTokenRequest{Name: name, Connector: connector.ConnectorUUID})
	if err != nil {
		t.Fatal(err)
	}
	key, err := admin.EndpointsAgentsEnrollmentTokens.ViewKey(ctx, enrollment.TokenUUID)
	if err != nil {
		t.Fatal(err)
	}
	enroller, err := authentik.NewClient(url, key.Key)
	if err != nil {
		t.Fatal(err)
	}
	token, err := enroller.EndpointsAgentsConnectors.Enroll(ctx, &authentik.EnrollRequest{DeviceSerial: name, DeviceName: name})
	if err != nil {
		t.Fatal(err)
	}
	agent, err := authentik.NewClient(url, token.Token, authentik.WithDeviceToken())
	if err != nil {
		t.Fatal(err)
	}
	config, err := agent.EndpointsAgentsConnectors.AgentConfig(ctx)
	if err != nil || config.DeviceID == "" || config.RefreshInterval == 0 || len(config.Extra) > 0 {
		t.Errorf("%+v, %v", config, err)
	}
	t.Cleanup(func() {
		if id, err := uuid.Parse(config.DeviceID); err == nil {
			_ = admin.EndpointsDevices.Delete(context.Background(), id)
		}
	})
	facts := &authentik.DeviceFactsRequest{
		OS:    authentik.Value(authentik.DeviceOperatingSystemRequest{Family: authentik.DeviceFactsOSFamilyLinux, Arch: new("amd64")}),
		Disks: authentik.Value([]authentik.DeviceDiskRequest{{Name: "/dev/sda", Mountpoint: "/"}}),
	}
	if err := agent.EndpointsAgentsConnectors.CheckIn(ctx, facts); err != nil {
		t.Error(err)
	}
	if _, err := agent.EndpointsAgentsConnectors.AuthIA(ctx); !errors.Is(err, authentik.ErrBadRequest) { // without a license
		t.Error(err)
	}
	if _, err := agent.EndpointsAgentsPSSORegisterDevice.Create(ctx, &authentik.AgentPSSODeviceRegistrationRequest{
		DeviceSigningKey: "a", DeviceEncryptionKey: "b", SignKeyID: "c", EncKeyID: "d",
	}); !errors.Is(err, authentik.ErrBadRequest) {
		t.Error(err)
	}
	if _, err := admin.EndpointsAgentsConnectors.AgentConfig(ctx); !errors.Is(err, authentik.ErrForbidden) {
		t.Errorf("with an API token: %v", err)
	}
}
