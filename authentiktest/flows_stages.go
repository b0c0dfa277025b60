package authentiktest

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authentik-go/authentik/flow"
)

// flowStage runs a stage. sent is the answer, nil if the client asks for the
// challenge.
type flowStage func(x *flowExecution, stage *object, sent map[string]any) flowStep

// flowStages are the stages that the fake runs, by the lists that have them.
var flowStages = map[string]flowStage{
	"stages/identification/":         identify,
	"stages/password/":               askPassword,
	"stages/authenticator/validate/": validateDevice,
	"stages/authenticator/totp/":     setUpTOTP,
	"stages/authenticator/static/":   setUpStatic,
	"stages/captcha/":                askCaptcha,
	"stages/consent/":                askConsent,
	"stages/deny/":                   deny,
	"stages/dummy/":                  askNothing,
	"stages/email/":                  sendMail,
	"stages/invitation/stages/":      invite,
	"stages/prompt/stages/":          prompt,
	"stages/redirect/":               redirect,
	"stages/user_delete/":            deleteUser,
	"stages/user_login/":             logIn,
	"stages/user_logout/":            logOut,
	"stages/user_write/":             writeUser,
}

// lacking returns the error of a member that an answer has to have, nil if it has it.
func lacking(sent map[string]any, member string) map[string]any {
	value, has := sent[member]
	switch {
	case !has:
		return fieldErrors(member, "This field is required.", "required")
	case value == nil:
		return fieldErrors(member, "This field may not be null.", "null")
	case value == "":
		return fieldErrors(member, "This field may not be blank.", "blank")
	}
	return nil
}

func identify(x *flowExecution, stage *object, sent map[string]any) flowStep {
	m := stage.members
	embedded := !isEmpty(m["password_stage"])
	challenge := map[string]any{
		"component": "ak-stage-identification", "user_fields": m["user_fields"], "password_fields": embedded, "primary_action": "Log in",
		"sources": []any{}, "show_source_labels": m["show_source_labels"] == true,
	}
	if x.atLeast("2024.4") {
		challenge["flow_designation"] = x.plan.flow.members["designation"]
	}
	if x.atLeast("2024.8") {
		challenge["allow_show_password"] = false
	}
	if x.atLeast("2024.10") {
		challenge["captcha_stage"] = nil
	}
	if x.atLeast("2025.4") {
		challenge["enable_remember_me"] = m["enable_remember_me"] == true
	}
	for member, link := range map[string]string{"enroll_url": "enrollment_flow", "recovery_url": "recovery_flow", "passwordless_url": "passwordless_flow"} {
		if linked := x.referred("flows/instances/", canonical(m[link])); linked != nil {
			challenge[member] = "/if/flow/" + linked.id + "/"
		}
	}
	switch {
	case !isEmpty(m["captcha_stage"]):
		return flowStep{failed: "authentiktest: the fake runs no captcha within the identification"}
	case sent == nil:
		return flowStep{challenge: challenge}
	}
	if x.atLeast("2025.12") {
		if uid, _ := sent["uid_field"].(string); uid == "" {
			return flowStep{challenge: challenge, errors: flowNonField("No identification data provided.", "invalid")}
		}
	} else if errors := lacking(sent, "uid_field"); errors != nil {
		return flowStep{challenge: challenge, errors: errors}
	}
	uid := canonical(sent["uid_field"])
	user := x.userBy(uid, m["case_insensitive_matching"] == true, flat(m["user_fields"]))
	refused := flowStep{challenge: challenge, errors: flowNonField("Failed to authenticate.", "invalid")}
	switch {
	case embedded && !x.isPassword(user, sent["password"]):
		return refused
	case user == nil && x.atLeast("2024.2") && m["pretend_user_exists"] != true,
		user == nil && !x.atLeast("2024.2") && x.plan.flow.members["designation"] != "recovery": // which had no setting for it
		return refused
	}
	x.plan.user, x.plan.claims = user, uid
	return flowStep{done: true}
}

// userBy finds a user by one of the fields.
func (x *flowExecution) userBy(uid string, anyCase bool, fields []any) *object {
	for _, user := range x.list("core/users/").objects {
		for _, field := range fields {
			value := canonical(user.members[canonical(field)])
			if value != "" && (value == uid || anyCase && strings.EqualFold(value, uid)) {
				return user
			}
		}
	}
	return nil
}

// isPassword reports whether an active user has the password.
func (x *flowExecution) isPassword(user *object, given any) bool {
	return user != nil && user.members["is_active"] != false && !isEmpty(user.members[".password"]) && user.members[".password"] == given
}

func askPassword(x *flowExecution, stage *object, sent map[string]any) flowStep {
	challenge := x.withUser(map[string]any{"component": "ak-stage-password"})
	if x.atLeast("2024.8") {
		challenge["allow_show_password"] = stage.members["allow_show_password"] == true
	}
	if sent == nil {
		return flowStep{challenge: challenge}
	}
	if errors := lacking(sent, "password"); errors != nil {
		return flowStep{challenge: challenge, errors: errors}
	}
	if x.isPassword(x.plan.user, sent["password"]) {
		return flowStep{done: true}
	}
	x.plan.failures++
	if most, _ := json.Number(canonical(stage.members["failed_attempts_before_cancel"])).Int64(); most > 0 && int64(x.plan.failures) >= most {
		if !x.atLeast("2024.2") {
			return flowDenied("Unknown error")
		}
		return flowDenied("Invalid password")
	}
	return flowStep{challenge: challenge, errors: fieldErrors("password", "Invalid password", "invalid")}
}

// flowDevice is a second factor that a user has set up in a flow of the fake.
type flowDevice struct {
	class, uid string
	url        string   // of TOTP
	last       int64    // the step of TOTP that was used last
	codes      []string // static ones that are left
}

// take reports whether the code is one of the device, and uses it up.
func (d *flowDevice) take(code string) bool {
	if i := slices.Index(d.codes, code); i >= 0 {
		d.codes = slices.Delete(d.codes, i, i+1)
		return true
	}
	now := time.Now()
	for _, at := range []time.Time{now.Add(-30 * time.Second), now, now.Add(30 * time.Second)} {
		if want, err := flow.TOTPCode(d.url, at); err == nil && want == code && at.Unix()/30 > d.last {
			d.last = at.Unix() / 30
			return true
		}
	}
	return false
}

// devicesOf are the devices of the pending user: those of flows, and the static codes
// that a test has added.
func (x *flowExecution) devicesOf(classes []any) []*flowDevice {
	if x.plan.user == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(x.flows.devices[x.plan.user.key]), func(d *flowDevice) bool {
		return len(classes) > 0 && !slices.Contains(classes, any(d.class))
	})
}

func validateDevice(x *flowExecution, stage *object, sent map[string]any) flowStep {
	m := stage.members
	devices := x.devicesOf(flat(m["device_classes"]))
	shown, choices := []any{}, []any{}
	for _, d := range devices {
		one := map[string]any{"device_class": d.class, "device_uid": d.uid, "challenge": map[string]any{}}
		if x.atLeast("2024.10") {
			one["last_used"] = nil
		}
		shown = append(shown, one)
	}
	stages := flat(m["configuration_stages"])
	if len(devices) == 0 {
		switch action := canonical(m["not_configured_action"]); {
		case action == "skip":
			return flowStep{done: true}
		case action == "deny" && !x.atLeast("2024.2"):
			return flowDenied("Unknown error")
		case action != "configure":
			return flowDenied("No (allowed) MFA authenticator configured.")
		}
		for _, key := range stages {
			if o := x.referred("stages/all/", canonical(key)); o != nil {
				choices = append(choices, map[string]any{
					"pk": o.key, "name": o.members["name"], "verbose_name": o.members["verbose_name"], "meta_model_name": o.members["meta_model_name"],
				})
			}
		}
		if len(choices) == 1 {
			return x.setUpBy(canonical(stages[0]))
		}
	}
	challenge := x.withUser(map[string]any{"component": "ak-stage-authenticator-validate", "device_challenges": shown, "configuration_stages": choices})
	if sent == nil {
		return flowStep{challenge: challenge}
	}
	refused := func(errors map[string]any) flowStep { return flowStep{challenge: challenge, errors: errors} }
	if pk, has := sent["selected_stage"]; has && len(choices) > 0 {
		if !slices.ContainsFunc(stages, func(key any) bool { return canonical(key) == canonical(pk) }) {
			return refused(fieldErrors("selected_stage", "Selected stage is invalid", "invalid"))
		}
		return x.setUpBy(canonical(pk))
	}
	code, has := sent["code"]
	if !has {
		return refused(flowNonField("Empty response", "invalid"))
	}
	if !slices.ContainsFunc(devices, func(d *flowDevice) bool { return d.take(canonical(code)) }) {
		return refused(fieldErrors("code", "Invalid Token. Please ensure the time on your device is accurate and try again.", "invalid"))
	}
	return flowStep{done: true}
}

// setUpBy puts the stage that sets a device up in the place of the one that asks for
// a device.
func (x *flowExecution) setUpBy(key string) flowStep {
	stage := x.referred("stages/all/", key)
	if stage == nil {
		return flowDenied("Unknown error")
	}
	x.plan.stages = slices.Insert(x.plan.stages, 1, stage)
	return flowStep{done: true}
}

func setUpTOTP(x *flowExecution, stage *object, sent map[string]any) flowStep {
	if x.plan.user == nil {
		return flowDenied("Unknown error")
	}
	if x.plan.device == nil {
		digits := canonical(stage.members["digits"])
		if digits != "8" {
			digits = "6"
		}
		secret := base32.StdEncoding.EncodeToString([]byte(rand.Text()[:20]))
		link := url.URL{
			Scheme: "otpauth", Host: "totp", Path: "/authentik:" + canonical(x.plan.user.members["username"]),
			RawQuery: "secret=" + secret + "&algorithm=SHA1&digits=" + digits + "&period=30&issuer=authentik",
		}
		x.plan.device = &flowDevice{class: "totp", uid: rand.Text(), url: link.String()}
	}
	challenge := x.withUser(map[string]any{"component": "ak-stage-authenticator-totp", "config_url": x.plan.device.url})
	if sent == nil {
		return flowStep{challenge: challenge}
	}
	if errors := lacking(sent, "code"); errors != nil {
		return flowStep{challenge: challenge, errors: errors}
	}
	if !x.plan.device.take(canonical(sent["code"])) {
		return flowStep{challenge: challenge, errors: fieldErrors("code", "Code does not match", "invalid")}
	}
	return x.keepDevice()
}

func (x *flowExecution) keepDevice() flowStep {
	key := x.plan.user.key
	x.flows.devices[key] = append(x.flows.devices[key], x.plan.device)
	x.plan.device = nil
	return flowStep{done: true}
}

func setUpStatic(x *flowExecution, stage *object, sent map[string]any) flowStep {
	if x.plan.user == nil {
		return flowDenied("Unknown error")
	}
	if x.plan.device == nil {
		count, _ := json.Number(canonical(stage.members["token_count"])).Int64()
		if count <= 0 {
			count = 6
		}
		x.plan.device = &flowDevice{class: "static", uid: rand.Text()}
		for range count {
			x.plan.device.codes = append(x.plan.device.codes, strings.ToLower(rand.Text()[:12]))
		}
	}
	if sent == nil {
		return flowStep{challenge: x.withUser(map[string]any{"component": "ak-stage-authenticator-static", "codes": slices.Clone(x.plan.device.codes)})}
	}
	return x.keepDevice()
}

// CaptchaToken is the one token that a captcha of the fake takes.
const CaptchaToken = "authentiktest"

func askCaptcha(x *flowExecution, stage *object, sent map[string]any) flowStep {
	challenge := x.withUser(map[string]any{"component": "ak-stage-captcha", "site_key": stage.members["public_key"], "js_url": stage.members["js_url"]})
	if x.atLeast("2024.10") {
		challenge["interactive"] = stage.members["interactive"] == true
	}
	if sent == nil {
		return flowStep{challenge: challenge}
	}
	if errors := lacking(sent, "token"); errors != nil {
		return flowStep{challenge: challenge, errors: errors}
	}
	if sent["token"] != CaptchaToken {
		return flowStep{challenge: challenge, errors: fieldErrors("token", "Failed to validate token", "invalid")}
	}
	return flowStep{done: true}
}

func askConsent(x *flowExecution, _ *object, sent map[string]any) flowStep {
	expected := x.plan.token
	x.plan.token = rand.Text()
	challenge := x.withUser(map[string]any{
		"component": "ak-stage-consent", "permissions": []any{}, "additional_permissions": []any{}, "token": x.plan.token,
	})
	if sent == nil {
		return flowStep{challenge: challenge}
	}
	if errors := lacking(sent, "token"); errors != nil {
		return flowStep{challenge: challenge, errors: errors}
	}
	if sent["token"] != expected {
		if !x.atLeast("2024.2") {
			return flowStep{challenge: challenge}
		}
		return flowStep{challenge: challenge, errors: fieldErrors("token", "Invalid consent token, re-showing prompt", "invalid")}
	}
	return flowStep{done: true}
}

func deny(_ *flowExecution, stage *object, _ map[string]any) flowStep {
	message := canonical(stage.members["deny_message"])
	if message == "" {
		message = "Unknown error"
	}
	return flowDenied(message)
}

func askNothing(x *flowExecution, stage *object, sent map[string]any) flowStep {
	switch {
	case sent != nil:
		return flowStep{done: true}
	case stage.members["throw_error"] == true:
		return flowStep{failed: "Testing error"}
	}
	challenge := map[string]any{"component": "ak-stage-dummy"}
	if x.atLeast("2024.4") {
		challenge["name"] = stage.members["name"]
	}
	return flowStep{challenge: challenge}
}

func sendMail(x *flowExecution, _ *object, sent map[string]any) flowStep {
	challenge := map[string]any{"component": "ak-stage-email"}
	if !x.plan.mailed || sent != nil {
		x.plan.mailed = true
		plan := *x.plan
		plan.stages = slices.Clone(x.plan.stages[1:])
		address := canonical(x.plan.data["email"])
		if x.plan.user != nil {
			address = canonical(x.plan.user.members["email"])
		}
		x.flows.send(address, rand.Text(), plan)
	}
	if sent != nil {
		return flowStep{challenge: challenge, errors: flowNonField("email-sent", "email-sent")}
	}
	return flowStep{challenge: challenge}
}

func invite(x *flowExecution, stage *object, _ map[string]any) flowStep {
	invitation := x.list("stages/invitation/invitations/").byID[x.query.Get("itoken")]
	if invitation != nil && !isEmpty(invitation.members["flow"]) && canonical(invitation.members["flow"]) != x.plan.flow.key {
		invitation = nil
	}
	if invitation == nil {
		if stage.members["continue_flow_without_invitation"] == true {
			return flowStep{done: true}
		}
		return flowDenied("Invalid invite/invite not found")
	}
	if fixed, ok := invitation.members["fixed_data"].(map[string]any); ok {
		maps.Copy(x.plan.data, fixed)
	}
	if invitation.members["single_use"] == true {
		x.remove(invitation)
	}
	return flowStep{done: true}
}

func prompt(x *flowExecution, stage *object, sent map[string]any) flowStep {
	if !isEmpty(stage.members["validation_policies"]) {
		return flowStep{failed: "authentiktest: the fake runs no policy, and stages/prompt/stages/" + stage.id + "/ has one"}
	}
	var prompts []*object
	for _, key := range flat(stage.members["fields"]) {
		if o := x.referred("stages/prompt/prompts/", canonical(key)); o != nil {
			prompts = append(prompts, o)
		}
	}
	slices.SortStableFunc(prompts, func(a, b *object) int { return compareNumbers(a.members["order"], b.members["order"]) })
	fields := []any{}
	for _, p := range prompts {
		m := p.members
		if m["placeholder_expression"] == true || m["initial_value_expression"] == true {
			return flowStep{failed: "authentiktest: the fake runs no expression, and stages/prompt/prompts/" + p.id + "/ has one"}
		}
		field := map[string]any{}
		for _, name := range []string{"field_key", "label", "type", "required", "placeholder", "initial_value", "order", "sub_text"} {
			field[name] = m[name]
		}
		if value, has := x.plan.data[canonical(m["field_key"])]; has {
			field["initial_value"] = canonical(value)
		}
		field["choices"] = nil
		if choosing[canonical(m["type"])] {
			field["choices"] = x.choices(m)
			field["initial_value"] = m["initial_value"]
		}
		fields = append(fields, field)
	}
	challenge := map[string]any{"component": "ak-stage-prompt", "fields": fields}
	if sent == nil {
		return flowStep{challenge: challenge}
	}
	values, errors := x.filled(prompts, sent)
	if len(errors) > 0 {
		return flowStep{challenge: challenge, errors: errors}
	}
	maps.Copy(x.plan.data, values)
	return flowStep{done: true}
}

// flowDate is a date of a form. authentik cannot keep one in an attribute (2023.10,
// 2025.10).
type flowDate string

var choosing = map[string]bool{"radio-button-group": true, "dropdown": true}

// choices are those of a prompt, one a line of its placeholder.
func (x *flowExecution) choices(m map[string]any) []any {
	choices := []any{}
	for line := range strings.Lines(canonical(m["placeholder"])) {
		text := strings.TrimSpace(line)
		if x.atLeast("2025.10") {
			choices = append(choices, map[string]any{"value": text, "label": text})
		} else {
			choices = append(choices, text)
		}
	}
	return choices
}

// filled are the values of a form, or what is wrong with them.
func (x *flowExecution) filled(prompts []*object, sent map[string]any) (values, errors map[string]any) {
	values, errors = map[string]any{}, map[string]any{}
	var passwords []string
	for _, p := range prompts {
		key, kind := canonical(p.members["field_key"]), canonical(p.members["type"])
		value, has := sent[key]
		switch kind {
		case "hidden", "static", "text_read_only", "text_area_read_only", "separator":
			if initial := p.members["initial_value"]; !isEmpty(initial) && kind != "static" && kind != "separator" {
				values[key] = initial
			}
			continue
		case "checkbox":
			values[key] = value == true
			continue
		}
		if !has && choosing[kind] && len(x.choices(p.members)) > 0 {
			value, has = strings.TrimSpace(strings.SplitN(canonical(p.members["placeholder"]), "\n", 2)[0]), true
		}
		if p.members["required"] == true {
			if wrong := lacking(sent, key); wrong != nil && !choosing[kind] {
				maps.Copy(errors, wrong)
				continue
			}
		}
		if !has {
			continue
		}
		if words, code := x.wrong(p, kind, value); words != "" {
			maps.Copy(errors, fieldErrors(key, words, code))
			continue
		}
		values[key] = value
		if kind == "date" || kind == "date-time" {
			values[key] = flowDate(canonical(value))
		}
		if kind == "password" {
			passwords = append(passwords, canonical(value))
		}
	}
	if len(errors) == 0 && len(passwords) > 1 && passwords[0] != passwords[1] {
		return nil, flowNonField("Passwords don't match.", "invalid")
	}
	return values, errors
}

// wrong says what is wrong with a value.
func (x *flowExecution) wrong(p *object, kind string, value any) (words, code string) {
	text := canonical(value)
	switch kind {
	case "email":
		if _, err := mail.ParseAddress(text); err != nil {
			return "Enter a valid email address.", "invalid"
		}
	case "username":
		if other := x.userBy(text, false, []any{"username"}); other != nil && (other != x.plan.user || !x.atLeast("2024.2")) {
			return "Username is already taken.", "invalid"
		}
	case "number":
		if _, err := json.Number(text).Int64(); err != nil {
			return "A valid integer is required.", "invalid"
		}
	case "date":
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.", "invalid"
		}
	case "date-time":
		if _, err := time.Parse(time.RFC3339, text); err != nil {
			return "Datetime has wrong format.", "invalid"
		}
	case "file":
		if !strings.HasPrefix(text, "data:") {
			return "Invalid scheme", "invalid"
		}
	case "dropdown", "radio-button-group":
		if kind == "dropdown" && !slices.Contains(strings.Fields(canonical(p.members["placeholder"])), text) {
			return fmt.Sprintf("%q is not a valid choice.", text), "invalid_choice"
		}
	}
	return "", ""
}

func redirect(x *flowExecution, stage *object, sent map[string]any) flowStep {
	if stage.members["mode"] == "flow" {
		target := x.referred("flows/instances/", canonical(stage.members["target_flow"]))
		if target == nil {
			return flowDenied("Unknown error")
		}
		user, data := x.plan.user, x.plan.data
		x.plan = nil
		if refusal := x.resume(target); refusal != nil {
			return *refusal
		}
		if stage.members["keep_context"] != false {
			x.plan.user, x.plan.data = user, data
		}
		return flowStep{challenge: map[string]any{"component": "xak-flow-redirect", "to": "/if/flow/" + target.id + "/"}}
	}
	challenge := map[string]any{"component": "xak-flow-redirect", "to": stage.members["target_static"]}
	if sent == nil {
		return flowStep{challenge: challenge}
	}
	if errors := lacking(sent, "to"); errors != nil {
		return flowStep{challenge: challenge, errors: errors}
	}
	return flowStep{done: true}
}

func deleteUser(x *flowExecution, _ *object, _ map[string]any) flowStep {
	if x.plan.user == nil {
		return flowDenied("Unknown error")
	}
	x.remove(x.plan.user)
	x.forgetSession()
	return flowStep{done: true}
}

func logOut(x *flowExecution, _ *object, _ map[string]any) flowStep {
	x.forgetSession()
	x.query = url.Values{} // the page's query goes with the session
	return flowStep{done: true}
}

func (x *flowExecution) forgetSession() {
	for key, session := range x.flows.sessions {
		if session == x.session {
			delete(x.flows.sessions, key)
		}
	}
	x.session.user, x.plan.user = nil, nil
}

func logIn(x *flowExecution, stage *object, sent map[string]any) flowStep {
	if x.plan.user == nil {
		return flowDenied("No Pending user to login.")
	}
	if offset := canonical(stage.members["remember_me_offset"]); offset != "" && offset != "seconds=0" {
		challenge := x.withUser(map[string]any{"component": "ak-stage-user-login"})
		if sent == nil {
			return flowStep{challenge: challenge}
		}
		if errors := lacking(sent, "remember_me"); errors != nil {
			return flowStep{challenge: challenge, errors: errors}
		}
	}
	x.session.user, x.session.csrf = x.plan.user, rand.Text()
	return flowStep{done: true}
}

func writeUser(x *flowExecution, stage *object, _ map[string]any) flowStep {
	mode := canonical(stage.members["user_creation_mode"])
	if x.plan.user == nil && mode == "never_create" {
		return flowDenied("No user found and can't create new user.")
	}
	changes, attributes := map[string]any{}, map[string]any{}
	user := x.plan.user
	if user != nil && mode != "always_create" {
		if old, ok := user.members["attributes"].(map[string]any); ok {
			attributes = maps.Clone(old)
		}
	}
	for key, value := range x.plan.data {
		if name, ok := strings.CutPrefix(key, "attributes."); ok {
			if _, isDate := value.(flowDate); isDate {
				return flowDenied("Failed to update user. Please try again later.")
			}
			attributes[name] = value
		} else if key == "username" || key == "name" || key == "email" {
			changes[key] = value
		} else if key == "password" {
			changes[".password"] = value
		}
	}
	changes["attributes"] = attributes
	if user == nil || mode == "always_create" {
		if isEmpty(changes["username"]) {
			return flowDenied("No user found and can't create new user.")
		}
		changes["is_active"] = stage.members["create_users_as_inactive"] != true
		if group := stage.members["create_users_group"]; !isEmpty(group) {
			changes["groups"] = []any{group}
		}
		x.plan.user = x.add(x.list("core/users/"), changes)
		return flowStep{done: true}
	}
	x.change(user, changes)
	return flowStep{done: true}
}
