package main

import (
	"fmt"
	"slices"

	"github.com/authentik-go/authentik/internal/contract"
)

// reused are the names of schemas that were another object's up to a version,
// and what that is called in the facts.
var reused = []struct{ name, until, object string }{
	{"DigitsEnum", "2023.10.7", "DigitsNumberEnum"},
	{"EndpointDevice", "2025.10.4", "GoogleEndpointDevice"},
	{"EndpointDeviceRequest", "2025.10.4", "GoogleEndpointDeviceRequest"},
	{"FileUploadRequest", "2025.10.4", "FileOrClearRequest"}, // of icons, backgrounds and imports
	{"Task", "2023.10.7", "AdminSystemTask"},
	{"TaskStatusEnum", "2023.10.7", "AdminSystemTaskStatusEnum"},
	{"Tenant", "2023.10.7", "CoreTenant"}, // Brand has followed it
	{"TenantRequest", "2023.10.7", "CoreTenantRequest"},
}

// same are the objects and enums that changed much with a version, and are still
// the same thing.
var same = map[string][]string{
	"2024.2.4":  {"UsedByActionEnum"},
	"2024.4.0":  {"ConnectionTokenRequest"},
	"2024.8.0":  {"LicenseSummary"},
	"2024.12.5": {"UserSAMLSourceConnectionRequest"},
	"2025.2.4":  {"GeoIPPolicyRequest"},
	"2025.8.0":  {"NotificationRule", "SyncStatus"},
	"2025.12.0": {"RoleAssignedObjectPermission"},
	"2026.5.6":  {"EventsRequestedEnum"},
}

// thing is an object or an enum in one version.
type thing struct {
	version string
	members map[string]bool // or values
	paths   map[string]bool // of the operations that it belongs to
	number  bool            // an enum of numbers
}

// checkNames finds names that seem to be another object's in a later version:
// half of the members are others, or no path is the same and the members differ.
func checkNames(facts *contract.Facts) error {
	known := map[string]thing{}
	for _, version := range facts.Versions {
		for name, now := range things(facts.At(version)) {
			before, has := known[name]
			known[name] = now
			if !has || slices.Contains(same[version], name) {
				continue
			}
			members := shared(before.members, now.members)
			all := len(before.members) + len(now.members) - members
			moved := len(before.paths) > 0 && len(now.paths) > 0 && shared(before.paths, now.paths) == 0
			if before.number != now.number || 2*members < all || moved && members < all {
				return fmt.Errorf("%s of %s has little of that of %s: if it is another object, name the old one in reused, else add it to same",
					name, version, before.version)
			}
		}
	}
	return nil
}

func shared(a, b map[string]bool) int {
	n := 0
	for name := range a {
		if b[name] {
			n++
		}
	}
	return n
}

// things are the objects and enums of one version.
func things(facts *contract.Facts) map[string]thing {
	all := map[string]thing{}
	for _, e := range facts.Enums {
		t := thing{facts.Versions[0], map[string]bool{}, map[string]bool{}, e.Number}
		for _, v := range e.Values {
			t.members[v.Value] = true
		}
		all[e.Name] = t
	}
	types := map[string][]contract.Type{}
	for _, o := range facts.Objects {
		t := thing{facts.Versions[0], map[string]bool{}, map[string]bool{}, false}
		for _, m := range o.Members {
			t.members[m.Name] = true
			types[o.Name] = append(types[o.Name], m.Type)
		}
		all[o.Name] = t
	}
	var visit func(t contract.Type, path string)
	visit = func(t contract.Type, path string) {
		if t.Elem != nil {
			visit(*t.Elem, path)
		}
		it, ok := all[t.Name]
		if !ok || it.paths[path] {
			return
		}
		it.paths[path] = true
		for _, member := range types[t.Name] {
			visit(member, path)
		}
	}
	for _, o := range facts.Operations {
		for _, p := range o.Parameters {
			visit(p.Type, o.Path)
		}
		for _, c := range slices.Concat(o.Bodies, o.Answers) {
			visit(c.Type, o.Path)
		}
	}
	return all
}
