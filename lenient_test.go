package authentik_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/authentik-go/authentik"
	"github.com/authentik-go/authentik/internal/codec"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// TestLenientTypesTakeNothing calls the methods themselves with what is no JSON.
func TestLenientTypesTakeNothing(t *testing.T) {
	t.Parallel()
	for _, v := range []json.Unmarshaler{
		new(authentik.DeviceID), new(authentik.TOTPDigits), new(authentik.EmailTokenExpiry), new(authentik.RedirectURIs), new(authentik.LogEvents),
		new(authentik.PromptChoices), new(authentik.SourceReference), new(authentik.UnixMilli), new(authentik.UnixTime), new(authentik.ZonelessTime),
		new(authentik.Nullable[int]), new(authentik.Pagination),
	} {
		for _, text := range []string{"", " ", "{", "-"} {
			if err := v.UnmarshalJSON([]byte(text)); err == nil && text != "-" { // which is the beginning of a number
				t.Errorf("%T has read %q", v, text)
			}
		}
	}
}

// TestVolumeOfOlderServers reads points of a diagram, which servers before 2025.8 send.
func TestVolumeOfOlderServers(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)
	for body, want := range map[string][]authentik.EventVolume{
		`[{"x_cord":1795532400000.0,"y_cord":7},{"x_cord":1795532400000,"y_cord":0,"z":1}]`: {
			{Time: authentik.ZonelessTime{Time: at}, Count: 7},
			{Time: authentik.ZonelessTime{Time: at}, Extra: map[string]json.RawMessage{"z": json.RawMessage("1")}},
		},
		`[{"action":"login","time":"2026-11-24T15:00:00","count":7}]`: {{Action: authentik.EventActionLogin, Time: authentik.ZonelessTime{Time: at}, Count: 7}},
		`[]`: {},
	} {
		got, err := answering(t, http.StatusOK, nil, body).EventsEvents.Volume(t.Context(), nil)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s (-want +got):\n%s\nerror %v", body, diff, err)
		}
	}
	for _, body := range []string{`[{"x_cord":"x","y_cord":7}]`, `[{"x_cord":1,"y_cord":"x"}]`, `{}`, `[`} {
		if got, err := answering(t, http.StatusOK, nil, body).EventsEvents.Volume(t.Context(), nil); err == nil {
			t.Errorf("%s was read as %+v", body, got)
		}
	}
}

// TestTimesAreWrittenAsTheyCame has the forms that a time.Time does not have.
func TestTimesAreWrittenAsTheyCame(t *testing.T) {
	t.Parallel()
	type times struct {
		Unix     authentik.UnixTime     `json:"unix"`
		Zoneless authentik.ZonelessTime `json:"zoneless"`
	}
	for text, want := range map[string]time.Time{
		`{"unix":1706546688,"zoneless":"2024-01-29T16:44:48"}`:               time.Date(2024, 1, 29, 16, 44, 48, 0, time.UTC),
		`{"unix":1706546688.123456,"zoneless":"2024-01-29T16:44:48.123456"}`: time.Date(2024, 1, 29, 16, 44, 48, 123456000, time.UTC),
	} {
		var got times
		if err := codec.Unmarshal([]byte(text), &got); err != nil || !got.Unix.Equal(want) || !got.Zoneless.Equal(want) {
			t.Errorf("%s is %v, error %v", text, got, err)
		}
		if b, err := codec.Marshal(got); string(b) != text || err != nil {
			t.Errorf("%s is written %s, error %v", text, b, err)
		}
	}
	var got times
	if err := codec.Unmarshal([]byte(`{"unix":"2024-01-29T17:44:48+01:00"}`), &got); err != nil || got.Unix.Unix() != 1706546688 {
		t.Errorf("%v, error %v", got, err)
	}
}

// TestOddAnswersOf2023 has what 2023.10.7 sent in place of its schema's integer and
// time.
func TestOddAnswersOf2023(t *testing.T) {
	t.Parallel()
	tasks, err := answering(t, http.StatusOK, nil, `[{"task_name":"clean","task_duration":0.5513736180000706}]`).AdminSystemTasks.List(t.Context())
	if err != nil || tasks[0].TaskDuration != 0.5513736180000706 {
		t.Errorf("%+v, %v", tasks, err)
	}
	files, err := answering(t, http.StatusOK, nil, `[{"path":"default/x.yaml","last_m":1706546688}]`).ManagedBlueprints.Available(t.Context())
	if err != nil || files[0].LastM.Unix() != 1706546688 {
		t.Errorf("%+v, %v", files, err)
	}
}

// TestNullObjects are nil, and written as null again.
func TestNullObjects(t *testing.T) {
	t.Parallel()
	const text = `"flow_obj":null`
	invitation, err := answering(t, http.StatusOK, nil, `{"pk":"`+pkText+`",`+text+`}`).StagesInvitationInvitations.Retrieve(t.Context(), uuid.Max)
	if err != nil || invitation.FlowObj != nil {
		t.Fatalf("%+v, %v", invitation, err)
	}
	if b, err := json.Marshal(invitation); err != nil || !strings.Contains(string(b), text) {
		t.Errorf("%s, %v", b, err)
	}
}

// TestEmptyAnswers are what servers sent before they answered with what they made.
func TestEmptyAnswers(t *testing.T) {
	t.Parallel()
	client, _ := recorder(t, http.StatusNoContent, "")
	provider, err := client.ProvidersSAML.ImportMetadata(t.Context(), &authentik.SAMLProviderImportRequest{File: strings.NewReader("<xml/>")})
	if provider != nil || err != nil {
		t.Errorf("%+v, %v", provider, err)
	}
	given, err := client.RBACPermissionsAssignedByRoles.Assign(t.Context(), uuid.Max, &authentik.PermissionAssignRequest{})
	if given != nil || err != nil {
		t.Errorf("%+v, %v", given, err)
	}
	if group, err := client.CoreGroups.Create(t.Context(), &authentik.GroupRequest{Name: "x"}); err == nil {
		t.Errorf("%+v is the answer to a Create that no release answers so", group)
	}
	// The schema says 204 of this, too.
	client, _ = recorder(t, http.StatusOK, `{"success":true,"logs":[]}`)
	if result, err := client.FlowsInstances.Import(t.Context(), &authentik.FlowUploadRequest{File: strings.NewReader("x")}); err != nil || !result.Success {
		t.Errorf("%+v, %v", result, err)
	}
}
