package casefile

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"bonafide"
)

// Infrastructure is what STIX tells others of a case: organisations that act for money, and
// the places where they are found. Innocent reports of a value whether it belongs to a
// customer or came with somebody's own complaint alone; it is then left out.
type Infrastructure struct {
	Case     bonafide.Case
	Adverts  []bonafide.Advert
	Innocent func(bonafide.Identifier) bool
	Origin   string // who shares it
	At       time.Time
}

// stixSpace is the namespace of identifiers that follow from content: 00abedb4-aa42-466c-
// 9c01-fed23315a9b7, STIX 2.1, section 2.9.
var stixSpace = [16]byte{0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}

// Bundle writes a STIX 2.1 bundle of the grey industry's infrastructure: organisations that
// organise, act or recruit, their web addresses, mail addresses, accounts and phone numbers,
// and the scenarios they work by as attack patterns, in one grouping of suspicious activity:
// it calls nobody a criminal. There are no complainants, no
// borrowers, no natural person's name, no letters and no devices, networks or bank accounts
// in it. The same case gives the same bytes.
func (x Infrastructure) Bundle() ([]byte, error) {
	at := x.At.UTC().Format("2006-01-02T15:04:05.000Z")
	var objects []map[string]any
	have := map[string]bool{}
	add := func(o map[string]any) string {
		id, _ := o["id"].(string)
		if !have[id] {
			have[id] = true
			objects = append(objects, o)
		}
		return id
	}
	object := func(kind, key string, fields map[string]any) map[string]any {
		o := map[string]any{"type": kind, "spec_version": "2.1", "id": kind + "--" + uuid5(kind+"\n"+key), "created": at, "modified": at}
		maps.Copy(o, fields)
		return o
	}
	relate := func(from, what, to string) {
		add(object("relationship", from+" "+what+" "+to, map[string]any{"relationship_type": what, "source_ref": from, "target_ref": to}))
	}
	source := add(object("identity", "origin "+x.Origin, map[string]any{"name": x.Origin, "identity_class": "organization"}))
	for _, id := range x.Case.Scenarios {
		if s, ok := ScenarioOf(id); ok {
			add(object("attack-pattern", s.ID, map[string]any{
				"name": s.Title.In("en"), "created_by_ref": source, "external_references": []any{map[string]any{"source_name": "bonafide", "external_id": s.ID}},
			}))
		}
	}
	place := func(name string, ids []bonafide.Identifier) string {
		var refs []string
		for _, id := range ids {
			if o := x.observable(id); o != nil {
				refs = append(refs, add(o))
			}
		}
		if len(refs) == 0 {
			return ""
		}
		in := add(object("infrastructure", name+strings.Join(refs, " "), map[string]any{"name": name, "created_by_ref": source, "infrastructure_types": []string{"unknown"}}))
		for _, r := range refs {
			relate(in, "consists-of", r)
		}
		return in
	}
	for i, p := range x.Case.Parties {
		if p.Role != bonafide.RoleOrganiser && p.Role != bonafide.RoleAgent && p.Role != bonafide.RoleRecruiter {
			continue
		}
		in := place(fmt.Sprintf("%s %d of case %d", p.Role, i+1, x.Case.Number), p.Identifiers)
		if !p.Organisation || p.Name == "" {
			continue // a person is nobody's infrastructure
		}
		who := add(object("identity", x.Case.ID+p.ID, map[string]any{"name": p.Name, "created_by_ref": source, "identity_class": "organization", "roles": []string{string(p.Role)}}))
		if in != "" {
			relate(who, "related-to", in)
		}
	}
	for i, a := range x.Adverts {
		ids := slices.Clone(a.Identifiers)
		if a.URL != "" {
			ids = append(ids, bonafide.Identifier{Kind: "url", Value: a.URL})
		}
		place(fmt.Sprintf("advert %d of case %d", i+1, x.Case.Number), ids)
	}
	refs := make([]string, len(objects))
	for i, o := range objects {
		refs[i], _ = o["id"].(string)
	}
	add(object("grouping", x.Case.ID, map[string]any{"name": fmt.Sprintf("case %d", x.Case.Number), "context": "suspicious-activity", "created_by_ref": source, "object_refs": refs}))
	bundle := map[string]any{"type": "bundle", "id": "bundle--" + uuid5(x.Case.ID+at), "objects": objects}
	b, err := json.MarshalIndent(bundle, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write STIX: %w", err)
	}
	return append(b, '\n'), nil
}

// observable is a place of the grey industry as STIX names it; nil where it may be a
// customer's, or is of a kind that names people more than places.
func (x Infrastructure) observable(id bonafide.Identifier) map[string]any {
	if x.Innocent == nil || x.Innocent(id) {
		return nil
	}
	v := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.TrimSpace(id.Value))
	sco := func(kind string, fields map[string]any) map[string]any {
		name, _ := json.Marshal(fields) // sorted keys, strings only: as JSON is canonicalised
		o := map[string]any{"type": kind, "spec_version": "2.1", "id": kind + "--" + uuid5(string(name))}
		maps.Copy(o, fields)
		return o
	}
	switch id.Kind {
	case "url":
		u, err := url.Parse(v)
		if err != nil || u.Host == "" || u.User != nil {
			return nil
		}
		u.RawQuery, u.Fragment = "", "" // a query may name who clicked
		return sco("url", map[string]any{"value": u.String()})
	case bonafide.Email:
		if strings.Count(v, "@") != 1 {
			return nil
		}
		return sco("email-addr", map[string]any{"value": v})
	case bonafide.Handle:
		return sco("user-account", map[string]any{"account_login": v, "account_type": "chat"})
	case bonafide.Phone:
		return sco("user-account", map[string]any{"account_login": v, "account_type": "phone"})
	case bonafide.IP:
		a, err := netip.ParseAddr(v)
		if err != nil {
			return nil
		}
		kind := "ipv4-addr"
		if a.Is6() {
			kind = "ipv6-addr"
		}
		return sco(kind, map[string]any{"value": a.String()})
	}
	return nil
}

// uuid5 is the name-based UUID of RFC 4122 in a namespace of its own for what is not an
// observable, and in that of STIX for what is.
func uuid5(name string) string {
	h := sha1.New()
	h.Write(stixSpace[:])
	h.Write([]byte(name))
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
