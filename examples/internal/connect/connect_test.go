package connect

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/authentiktest"
)

func TestMain(m *testing.M) {
	UseFake()
	m.Run()
}

// firstSource is the name of the server's first source stage.
func firstSource(t *testing.T, client *authentik.Client) string {
	t.Helper()
	page, err := client.StagesSource.List(t.Context(), nil)
	if err != nil || len(page.Results) != 1 {
		t.Fatalf("got %+v, %v", page, err)
	}
	return page.Results[0].Name
}

func TestClient(t *testing.T) { // not parallel: it sets the environment
	server := authentiktest.NewServer()
	t.Cleanup(server.Close)
	server.StagesSource.Add(authentik.SourceStage{Name: "from the environment"})
	for _, test := range []struct {
		name string
		env  map[string]string
		want string // the source stage's name, or the words of an error
		fake bool
	}{
		{"AUTHENTIK_URL", map[string]string{"AUTHENTIK_URL": server.URL, "AUTHENTIK_TOKEN": server.Token}, "from the environment", false},
		{"AUTHENTIK_HOST", map[string]string{"AUTHENTIK_HOST": server.URL, "AUTHENTIK_TOKEN": server.Token}, "from the environment", false},
		{"nothing", nil, "company-login", true},
		{"empty", map[string]string{"AUTHENTIK_URL": "", "AUTHENTIK_TOKEN": ""}, "company-login", true},
		{"no token", map[string]string{"AUTHENTIK_URL": server.URL}, "AUTHENTIK_TOKEN is not set", false},
		{"only a token", map[string]string{"AUTHENTIK_TOKEN": "t"}, "(set are: AUTHENTIK_TOKEN)", false},
		{"misspelt", map[string]string{"AUTHENTIK_ULR": server.URL}, "(set are: AUTHENTIK_ULR)", false},
		{"in lower case", map[string]string{"authentik_url": server.URL}, "(set are: authentik_url)", false},
		{"only AUTHENTIK_INSECURE", map[string]string{"AUTHENTIK_INSECURE": "true"}, "(set are: AUTHENTIK_INSECURE)", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			var said strings.Builder
			client, stop, err := Client(&said)
			if err != nil {
				if !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
			} else {
				defer stop()
				if got := firstSource(t, client); got != test.want {
					t.Errorf("the server has %s, want %s", got, test.want)
				}
			}
			if got := strings.Contains(said.String(), "fake"); got != test.fake {
				t.Errorf("said %q", said.String())
			}
			_, stop, err = ClientUnlessFake(false)
			stop()
			if known := test.want == "from the environment"; (err == nil) != known {
				t.Errorf("without -fake: %v", err)
			}
		})
	}
}

func TestFakeThatWasAskedFor(t *testing.T) {
	t.Setenv("AUTHENTIK_URL", "https://authentik.invalid")
	client, stop, err := ClientUnlessFake(true)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if got := firstSource(t, client); got != "company-login" {
		t.Errorf("got %s", got)
	}
}

func TestUseFake(t *testing.T) {
	t.Setenv("AUTHENTIK_URL", "https://authentik.invalid")
	t.Setenv("authentik_anything", "x")
	UseFake()
	if got := variables(); len(got) != 0 || os.Getenv("AUTHENTIK_URL") != "" {
		t.Errorf("left are %q", got)
	}
	if _, stop, err := Client(io.Discard); err != nil {
		t.Error(err)
	} else {
		stop()
	}
}
