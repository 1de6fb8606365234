package api

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// counts says how much of everything a tenant has.
func (c *client) counts() map[string]int {
	c.w.t.Helper()
	out := map[string]int{}
	c.w.view(func(tx *store.Tx) error {
		ctx := c.w.t.Context()
		tree, err := tx.LogTree(ctx, c.tenant)
		if err != nil {
			return err
		}
		out["log"] = int(tree.N) // every change has an entry
		n, err := tx.CountComplaints(ctx, c.tenant)
		if err != nil {
			return err
		}
		out["complaints"] = int(n)
		events, err := tx.Events(ctx, c.tenant, 0, 1000)
		out["events"] = len(events)
		return err
	})
	return out
}

// number is a canary of digits.
const number = "471147114711471"

func packed(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// bomb is a small packed body that unpacks to as many MiB of blanks.
func bomb(t *testing.T, mib int) []byte {
	t.Helper()
	return bytes.Repeat(packed(t, bytes.Repeat([]byte(" "), 1<<20)), mib)
}

// spoil returns the object with every value in turn replaced, wherever it stands.
func spoil(v any, with any, yield func(path string, spoilt func() []byte)) {
	root := v
	var walk func(v any, path string)
	walk = func(v any, path string) {
		switch v := v.(type) {
		case map[string]any:
			for k, old := range v {
				yield(path+"."+k, func() []byte {
					v[k] = with
					b, _ := json.Marshal(root) // of JSON
					v[k] = old
					return b
				})
				walk(old, path+"."+k)
			}
		case []any:
			for i := range v {
				walk(v[i], fmt.Sprintf("%s[%d]", path, i))
			}
		}
	}
	walk(v, "")
}

// Bad input to every route that takes a body is answered with a problem that repeats
// nothing, and nothing is stored.
func TestBadBodies(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	deep := func(n int) []byte {
		return []byte(`{"id":"` + canary + `","x":` + strings.Repeat(`{"a":`, n) + `"` + canary + `"` + strings.Repeat("}", n) + `}`)
	}
	big := []byte(`{"id":"` + canary + strings.Repeat("x", 1<<20) + `"}`)
	for _, rt := range routes {
		if rt.body != server.JSON {
			continue
		}
		fresh := th
		fresh.complaint, fresh.other = "bad-1", "bad-2"
		if rt.path != "/complaints" {
			fresh = th
		}
		valid := fresh.body(w.a, rt)
		var object map[string]any
		if err := json.Unmarshal(valid, &object); err != nil {
			t.Fatal(err)
		}
		path, before := th.path(rt.path), w.a.counts()
		bad := func(what string, status []int, body any, set ...func(*http.Request)) {
			t.Helper()
			g := w.a.call(rt.method, path, body, set...)
			if !slices.Contains(status, g.status) {
				t.Errorf("%s %s: %s: status %d, want %v: %s", rt.method, rt.path, what, g.status, status, g.body)
			}
			if bytes.Contains(g.body, []byte(canary)) || bytes.Contains(g.body, []byte(number)) {
				t.Errorf("%s %s: %s: the answer repeats a value: %s", rt.method, rt.path, what, g.body)
			}
		}
		malformed, refused := []int{400}, []int{400, 422}
		bad("nothing", malformed, "")
		bad("blank", malformed, "  \n")
		bad("a word", malformed, canary)
		bad("an array", []int{422}, `["`+canary+`"]`)
		bad("an array of objects", []int{422}, "["+string(valid)+"]")
		bad("a string", []int{422}, `"`+canary+`"`)
		bad("null", []int{422}, "null")
		bad("cut off", malformed, valid[:len(valid)-1])
		bad("more behind", malformed, string(valid)+canary)
		bad("two objects", malformed, string(valid)+string(valid))
		bad("an unknown field", []int{422}, strings.Replace(string(valid), "{", `{"unheard_of":"`+canary+`"`+comma(object), 1))
		bad("a value as a field", []int{422}, strings.Replace(string(valid), "{", `{"`+canary+`":1`+comma(object), 1))
		bad("a field twice", malformed, strings.Replace(string(valid), "{", `{"x":1,"x":"`+canary+`"`+comma(object), 1))
		bad("depth 40", malformed, deep(40))
		bad("depth 10,000", malformed, deep(10_000))
		bad("30,000 values", malformed, `{"x":[`+strings.Repeat(number+",", 30_000)+`1]}`)
		bad("a control character", malformed, "{\"id\":\""+canary+"\x01\"}")
		bad("NUL", malformed, `{"id":"`+canary+`\u0000"}`)
		bad("no UTF-8", malformed, "{\"id\":\""+canary+"\xff\xfe\"}")
		bad("half a character", malformed, `{"id":"`+canary+`\ud800"}`)
		bad("UTF-16", malformed, "\xff\xfe{\x00}\x00")
		bad("a mark of order", malformed, "\xef\xbb\xbf"+string(valid))
		bad("more than a MiB", []int{413}, big)
		bad("more than a MiB, length not told", []int{413}, io.MultiReader(bytes.NewReader(big)))
		bad("a bomb", []int{413}, bomb(t, 64), with("Content-Encoding", "gzip"))
		bad("no gzip", malformed, valid, with("Content-Encoding", "gzip"))
		bad("half a gzip", malformed, half(packed(t, valid)), with("Content-Encoding", "gzip"))
		bad("another packing", []int{415}, valid, with("Content-Encoding", "br"))
		bad("packed twice", []int{415}, packed(t, packed(t, valid)), with("Content-Encoding", "gzip, gzip"))
		bad("no type", []int{415}, valid, func(r *http.Request) { r.Header.Del("Content-Type") })
		bad("a form", []int{415}, "id="+canary, with("Content-Type", "application/x-www-form-urlencoded"))
		bad("many parts", []int{415}, valid, with("Content-Type", "multipart/form-data; boundary="+canary))
		bad("lines", []int{415}, valid, with("Content-Type", "application/x-ndjson"))
		bad("another character set", []int{415}, valid, with("Content-Type", "application/json; charset=gb18030"))
		bad("a key of 129 characters", malformed, valid, with(onceHeader, strings.Repeat("k", 129)))
		bad("an empty key", malformed, valid, with(onceHeader, ""))
		bad("a key with a tab", malformed, valid, with(onceHeader, "a\tb"))
		bad("a key that is not ASCII", malformed, valid, with(onceHeader, "schlüssel"))
		bad("an unknown parameter", malformed, valid, func(r *http.Request) { r.URL.RawQuery = "fields=" + canary })
		bad("a parameter that cannot be read", malformed, valid, func(r *http.Request) { r.URL.RawQuery = "a=%zz" + canary })
		for _, other := range []any{float64(471147114711471), canary, true, nil, []any{canary}, map[string]any{"unheard_of": canary}} {
			spoil(object, other, func(at string, spoilt func() []byte) {
				b := spoilt()
				var v any
				if err := json.Unmarshal(b, &v); err != nil {
					t.Fatal(err)
				}
				op, _ := operation(rt.method, rt.path)
				if fits(op.RequestBody.Value.Content[string(server.JSON)].Schema, b) == nil {
					return // another value, but a right one
				}
				bad(fmt.Sprintf("%v as %s", other, at), refused, b)
			})
		}
		if after := w.a.counts(); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s %s: something was stored: %v, then %v", rt.method, rt.path, before, after)
		}
	}
	if s := w.logs.String(); strings.Contains(s, canary) {
		t.Errorf("the log repeats a value: %s", around(s))
	}
}

// Bad lines are answered each by itself, on every route that takes a stream.
func TestBadLines(t *testing.T) {
	w := newWorld(t)
	w.a.seed()
	for _, rt := range routes {
		if rt.body != server.NDJSON {
			continue
		}
		valid := example(t, rt)
		var object map[string]any
		if err := json.Unmarshal(valid, &object); err != nil {
			t.Fatal(err)
		}
		op, _ := operation(rt.method, rt.path)
		contract := op.RequestBody.Value.Content[string(rt.body)].Schema
		lines := []string{
			canary, `["` + canary + `"]`, `"` + canary + `"`, "null", string(valid[:len(valid)-1]), string(valid) + canary, string(valid) + string(valid),
			strings.Replace(string(valid), "{", `{"unheard_of":"`+canary+`",`, 1), strings.Replace(string(valid), "{", `{"`+canary+`":1,`, 1),
			`{"x":1,"x":"` + canary + `"}`, strings.Repeat("[", 10_000), `{"x":[` + strings.Repeat(number+",", 30_000) + `1]}`,
			"{\"id\":\"" + canary + "\x01\"}", "{\"id\":\"" + canary + "\xff\"}", `{"id":"` + canary + `\u0000"}`, strings.Repeat(canary, 129),
		}
		for _, other := range []any{float64(471147114711471), canary, true, nil, []any{canary}, map[string]any{"unheard_of": canary}} {
			spoil(object, other, func(_ string, spoilt func() []byte) {
				if b := spoilt(); fits(contract, b) != nil {
					lines = append(lines, string(b))
				}
			})
		}
		before := w.a.counts()
		g := w.a.ok(200, "POST", rt.path, strings.Join(lines, "\n"))
		got, end := answers(t, g.body)
		if len(got) != len(lines) || end.Counts[bonafide.PutInvalid] != int64(len(lines)) || end.Lines != int64(len(lines)) {
			t.Errorf("%s: %d answers to %d bad lines, the end is %+v", rt.path, len(got), len(lines), end)
		}
		for i, l := range got {
			if l.Status != bonafide.PutInvalid || l.Reason == "" {
				t.Errorf("%s: line %d is answered with %+v: %.300s", rt.path, i+1, l, lines[i])
			}
		}
		if bytes.Contains(g.body, []byte(canary)) || bytes.Contains(g.body, []byte(number)) {
			t.Errorf("%s: the answer repeats a value: %s", rt.path, around(string(g.body)))
		}
		if after := w.a.counts(); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Errorf("%s: something was stored: %v, then %v", rt.path, before, after)
		}
	}
	if s := w.logs.String(); strings.Contains(s, canary) {
		t.Errorf("the log repeats a value: %s", around(s))
	}
}

// After everything was asked, no value stands in clear in the files of the database or
// in the log.
func TestNothingStandsInClear(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	ask := with(purposeHeader, "answering the complaint")
	for kind, id := range map[string]string{"complaints": th.complaint, "customers": th.customer, "contracts": th.contract, "calls": th.call, "representatives": th.representative} {
		w.a.ok(200, "GET", "/"+kind+"/"+id+"?include=content", nil, ask)
	}
	value := map[string]any{"kind": "handle", "value": canary}
	w.a.ok(200, "POST", "/tags/lookup", map[string]any{"identifiers": []any{value}, "customer_ref": canary, "complaint": canary, "purpose": "incoming call"}, with(onceHeader, "k"))
	w.a.ok(201, "POST", "/tags", map[string]any{"identifier": value, "reason": "ask who is calling"}, with(onceHeader, "k"))
	w.a.ok(201, "POST", "/tags", map[string]any{"customer_ref": canary, "reason": "ask who is calling"}, with(onceHeader, "k2"))
	w.a.ok(200, "POST", "/customers", map[string]any{"ref": canary}, with(onceHeader, "k3"))
	w.a.ok(200, "POST", "/customers/find", map[string]any{"ref": canary})
	w.a.ok(201, "POST", "/complaints", map[string]any{"id": "C-9", "received": "2026-03-02T09:30:00Z", "text": canary, "customer": map[string]any{"ref": canary}}, with(onceHeader, "k4"))
	w.a.ok(409, "POST", "/complaints", map[string]any{"id": "C-9", "received": "2026-03-02T09:30:00Z", "text": canary + canary})
	w.a.ok(200, "POST", "/customers/erase", map[string]any{"customer_ref": canary, "reason": "asked for it"}, with(onceHeader, "k5"))
	w.a.ok(404, "POST", "/customers/erase", map[string]any{"customer_ref": canary, "reason": "asked for it"})
	files, err := filepath.Glob(filepath.Join(w.dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(canary)) {
			t.Errorf("%s has a value in clear: %q", filepath.Base(name), around(string(b)))
		}
	}
	if s := w.logs.String(); strings.Contains(s, canary) {
		t.Errorf("the log has a value: %s", around(s))
	}
}

// Parsers never panic, and what is wrong has a reason.
func FuzzParse(f *testing.F) {
	for _, rt := range routes {
		if rt.body == "" {
			continue
		}
		op, _ := operation(rt.method, rt.path)
		b, err := json.Marshal(op.RequestBody.Value.Content[string(rt.body)].Example)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := parseComplaint(b)
		errs := []error{err}
		for _, k := range []recordKind{customers, contracts, calls, representatives} {
			rec, err := k.parse(b)
			errs = append(errs, err)
			if err != nil {
				continue
			}
			again, err := k.parse(rec.body)
			if err != nil || !bytes.Equal(again.body, rec.body) {
				t.Fatalf("a %s that was read is not read again as the same: %v\n%s\n%s", k.kind, err, rec.body, again.body)
			}
		}
		for _, err := range errs {
			if _, reason, _ := about(err); err != nil && reason == "" {
				t.Fatalf("no reason: %v", err)
			}
		}
	})
}

func comma(object map[string]any) string {
	if len(object) == 0 {
		return ""
	}
	return ","
}

func half(b []byte) []byte { return b[:len(b)/2] }

func around(s string) string {
	i := strings.Index(s, canary)
	return s[max(0, i-200):min(len(s), i+100)]
}

// Addresses with what is no id, or could be another tenant's, are answered with 404;
// parameters that are wrong with 400.
func TestBadAddresses(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	ids := []string{canary, "%00", "a%0Ab", "%ff%fe", strings.Repeat("x", 129), "%F0%9F%98%80" + canary, "..%2F..%2Fetc", "%27%20OR%201=1--" + canary, "-1", "99999999999999999999"}
	for _, rt := range routes {
		if !strings.Contains(rt.path, "{") {
			continue
		}
		for _, id := range ids {
			path := strings.NewReplacer("{id}", id, "{delivery}", id, "{n}", id).Replace(rt.path)
			var body any
			if rt.body != "" {
				body = th.body(w.a, rt)
			}
			g := w.a.call(rt.method, path, body)
			if g.status != 404 || bytes.Contains(g.body, []byte(canary)) {
				t.Errorf("%s %s: status %d, want 404 without the id: %s", rt.method, path, g.status, g.body)
			}
		}
	}
	for _, rt := range routes {
		for _, name := range rt.query {
			for _, value := range []string{canary + strings.Repeat("x", 200), "%00", "%ff", "0&" + name + "=1", "a%0ab"} {
				body := any(nil)
				if rt.body != "" {
					body = "\n"
				}
				g := w.a.call(rt.method, th.path(rt.path)+"?"+name+"="+value, body)
				if g.status != 400 || bytes.Contains(g.body, []byte(canary)) {
					t.Errorf("%s %s?%s=%s: status %d, want 400 without the value: %s", rt.method, rt.path, name, value, g.status, g.body)
				}
			}
		}
	}
	for _, path := range []string{
		"/complaints?limit=0", "/complaints?limit=1001", "/complaints?limit=x", "/complaints?after=-1", "/complaints?after=x", "/events?after=1.5", "/rings?state=" + canary,
		"/tags?state=dead", "/tags?kind=person", "/log/entries?after=-2", "/log/entries/0/proof?size=0", "/log/entries/0/proof?size=x", "/complaints/" + th.complaint + "?include=all",
		"/complaints/" + th.complaint + "?include=content", "/rings?" + url.QueryEscape(canary) + "=1", "/rings?state=proposed&state=cleared", "/rings?limit=1;after=2",
	} {
		if g := w.a.call("GET", path, nil); g.status != 400 || bytes.Contains(g.body, []byte(canary)) {
			t.Errorf("GET %s: status %d, want 400 without the value: %s", path, g.status, g.body)
		}
	}
	if s := w.logs.String(); strings.Contains(s, canary) {
		t.Errorf("the log repeats a value: %s", around(s))
	}
}

// What is not in the table is a problem: 404, or 405 with what would be right.
func TestUnknownAddresses(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "", "/complaint", "/complaints/", "/complaints/a/b", "//complaints", "/./complaints", "/rings/../complaints", "/" + canary} {
		if g := w.a.call("GET", path, nil); g.status != 404 || bytes.Contains(g.body, []byte(canary)) || g.header.Get("Location") != "" {
			t.Errorf("GET %s: status %d, want 404: %s", path, g.status, g.body)
		}
	}
	for _, rt := range routes {
		for _, method := range []string{"PUT", "PATCH", "OPTIONS", "TRACE", canary} {
			r, err := http.NewRequestWithContext(t.Context(), method, w.srv.URL+"/v1"+strings.NewReplacer("{id}", "x", "{n}", "0", "{delivery}", "y").Replace(rt.path), nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := w.srv.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			b, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != 405 || !strings.Contains(resp.Header.Get("Allow"), rt.method) || bytes.Contains(b, []byte(canary)) || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s %s: status %d, Allow %q: %s", method, rt.path, resp.StatusCode, resp.Header.Get("Allow"), b)
			}
		}
	}
}

// A bomb costs a bounded amount of memory, alone and in a stream.
func TestBombsCostLittle(t *testing.T) {
	w := newWorld(t)
	w.a.ok(200, "GET", "/status", nil)
	b := bomb(t, 1024)
	t.Logf("the bomb has %d bytes", len(b))
	for _, path := range []string{"/complaints", "/complaints/bulk", "/calls/bulk"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		g := w.a.call("POST", path, b, with("Content-Encoding", "gzip"))
		runtime.ReadMemStats(&after)
		if g.status != 413 {
			t.Errorf("%s: status %d, want 413: %s", path, g.status, g.body)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
			t.Errorf("%s: %d MiB allocated for a bomb", path, n>>20)
		}
	}
}

// The words of people that are kept in clear hold no personal data.
func TestReasonsHoldNoPersonalData(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	for _, secret := range []string{"+86 138 1234 5678", "zhang.wei88@qq.com", "微信号:zhangsan_88", "11010519491231002X", "a\nb", "", "  ", strings.Repeat("x", 501)} {
		for _, rt := range routes {
			if rt.body != server.JSON {
				continue
			}
			var object map[string]any
			if err := json.Unmarshal(th.body(w.a, rt), &object); err != nil {
				t.Fatal(err)
			}
			for _, field := range []string{"reason", "purpose", "innocent"} {
				old, ok := object[field]
				if !ok {
					continue
				}
				object[field] = "about " + secret
				if strings.TrimSpace(secret) == "" {
					object[field] = secret
				}
				if field == "innocent" && len(secret) > 500 {
					object[field] = secret + secret
				}
				g := w.a.call(rt.method, th.path(rt.path), object)
				if p := g.problem(t); g.status != 422 || p.Field != field || len(secret) > 2 && strings.Contains(string(g.body), secret) {
					t.Errorf("%s: %s %q: status %d, want 422 about the field: %s", rt.path, field, secret, g.status, g.body)
				}
				object[field] = old
			}
		}
		if strings.ContainsAny(secret, "\n") || secret == "" {
			continue
		}
		if g := w.a.call("GET", "/complaints/"+th.complaint+"?include=content", nil, with(purposeHeader, secret)); g.status != 400 {
			t.Errorf("purpose %q: status %d, want 400", secret, g.status)
		}
	}
}
