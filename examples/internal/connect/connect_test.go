package connect

import (
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
)

func TestClient(t *testing.T) { // not parallel: it sets the environment
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	server.StagesSource.Add(authentik.SourceStage{Name: "from the environment"})
	for _, test := range []struct {
		name, url, host, want string
	}{
		{"AUTHENTIK_URL", server.URL, "", "from the environment"},
		{"AUTHENTIK_HOST", "", server.URL, "from the environment"},
		{"fake", "", "", "company-login"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("AUTHENTIK_URL", test.url)
			t.Setenv("AUTHENTIK_HOST", test.host)
			t.Setenv("AUTHENTIK_TOKEN", server.Token)
			t.Setenv("AUTHENTIK_INSECURE", "")
			var stderr strings.Builder
			client, stop, err := Client(&stderr)
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			page, err := client.StagesSource.List(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Results) != 1 || page.Results[0].Name != test.want {
				t.Errorf("the server has %+v, want %s", page.Results, test.want)
			}
			isFake := test.name == "fake"
			if got := strings.Contains(stderr.String(), "fake"); got != isFake {
				t.Errorf("said %q", stderr.String())
			}
		})
	}
}

func TestClientWithoutToken(t *testing.T) {
	t.Setenv("AUTHENTIK_URL", "https://authentik.invalid")
	t.Setenv("AUTHENTIK_TOKEN", "")
	t.Setenv("AUTHENTIK_INSECURE", "")
	var stderr strings.Builder
	if _, _, err := Client(&stderr); err == nil || !strings.Contains(err.Error(), "AUTHENTIK_TOKEN is not set") {
		t.Errorf("got %v, want an error for the token", err)
	}
}
