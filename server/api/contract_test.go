package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"bonafide"
	"bonafide/server"
)

// document reads openapi.yaml once.
var document = sync.OnceValue(func() *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		panic(err)
	}
	return doc
})

// operation finds what the contract says of a method and a path under /v1.
func operation(method, path string) (*openapi3.Operation, string) {
	parts := strings.Split(path, "/")
	var best *openapi3.Operation
	var name string
	for template, item := range document().Paths.Map() {
		t := strings.Split(template, "/")
		if len(t) != len(parts) || item.GetOperation(method) == nil {
			continue
		}
		fits := true
		for i := range t {
			fits = fits && (t[i] == parts[i] || strings.HasPrefix(t[i], "{"))
		}
		if fits && (best == nil || !strings.Contains(template, "{")) {
			best, name = item.GetOperation(method), template
		}
	}
	return best, name
}

// schemas compiles each schema of the contract once: OpenAPI 3.1 has JSON Schema's own.
var schemas = struct {
	sync.Mutex
	compiler *jsonschema.Compiler
	done     map[string]*jsonschema.Schema
}{done: map[string]*jsonschema.Schema{}}

func schema(ref string) (*jsonschema.Schema, error) {
	schemas.Lock()
	defer schemas.Unlock()
	if s := schemas.done[ref]; s != nil {
		return s, nil
	}
	if schemas.compiler == nil {
		b, err := json.Marshal(document())
		if err != nil {
			return nil, err
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		schemas.compiler = jsonschema.NewCompiler()
		schemas.compiler.AssertFormat()
		if err := schemas.compiler.AddResource("openapi.json", doc); err != nil {
			return nil, err
		}
	}
	s, err := schemas.compiler.Compile("openapi.json" + ref)
	schemas.done[ref] = s
	return s, err
}

// fits holds a JSON value against a schema of the contract.
func fits(ref *openapi3.SchemaRef, b []byte) error {
	if !strings.HasPrefix(ref.Ref, "#/") {
		return fmt.Errorf("the schema of a content is no reference: %q", ref.Ref)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return err
	}
	s, err := schema(ref.Ref)
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// checkAnswer holds an answer against the contract. What the contract has no route for
// must be a problem.
func checkAnswer(t testing.TB, method, path string, g got) {
	t.Helper()
	var content openapi3.Content
	op, template := operation(method, strings.TrimPrefix(path, "/v1"))
	if op == nil {
		content = document().Components.Responses["NotFound"].Value.Content
		template = path
	} else {
		r := op.Responses.Status(g.status)
		if r == nil {
			t.Errorf("%s %s: the contract has no answer with status %d: %s", method, template, g.status, g.body)
			return
		}
		content = r.Value.Content
		for name, h := range r.Value.Headers {
			if v := g.header.Get(name); v != "" && name == replayHeader {
				if fmt.Sprint(h.Value.Schema.Value.Const) != v {
					t.Errorf("%s %s: header %s is %q", method, template, name, v)
				}
			}
		}
	}
	if g.header.Get(server.RequestHeader) == "" || g.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %s: headers are missing: %v", method, template, g.header)
	}
	if g.status != http.StatusNoContent && g.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %s: the answer may be cached", method, template)
	}
	if len(content) == 0 {
		if len(g.body) > 0 {
			t.Errorf("%s %s: status %d with content", method, template, g.status)
		}
		return
	}
	media := g.header.Get("Content-Type")
	m := content[media]
	if m == nil {
		t.Errorf("%s %s: status %d: the contract has no content of type %q", method, template, g.status, media)
		return
	}
	switch media {
	case "application/yaml":
		return
	case string(server.NDJSON):
		for line := range bytes.Lines(g.body) {
			if err := fits(m.Schema, line); err != nil {
				t.Errorf("%s %s: a line breaks the contract: %v\n%s", method, template, err, line)
			}
		}
		return
	}
	if err := fits(m.Schema, g.body); err != nil {
		t.Errorf("%s %s: status %d breaks the contract: %v\n%s", method, template, g.status, err, g.body)
	}
	if g.status >= 400 {
		if p := g.problem2(); p.Status != g.status || p.RequestID != g.header.Get(server.RequestHeader) {
			t.Errorf("%s %s: the problem says status %d and request %q, the answer %d and %q", method, template, p.Status, p.RequestID, g.status, g.header.Get(server.RequestHeader))
		}
	}
}

func (g got) problem2() (p server.Problem) {
	_ = json.Unmarshal(g.body, &p) // checked before
	return p
}

func TestContractIsValid(t *testing.T) {
	doc := document()
	if !doc.IsOpenAPI31OrLater() {
		t.Error("not OpenAPI 3.1")
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation()); err != nil {
		t.Error(err)
	}
}

// Every route stands in the contract with its scope and its parameters, and the
// contract has no others.
func TestContractHasEveryRoute(t *testing.T) {
	type line struct {
		Path, Scope string
		Query       []string
		Header      bool // Idempotency-Key
		Body        []string
		Open        bool
	}
	want, got := map[string]line{}, map[string]line{}
	for _, rt := range routes {
		l := line{Path: rt.path, Scope: string(rt.scope), Query: slices.Sorted(slices.Values(rt.query)), Open: rt.open}
		if rt.body != "" {
			l.Body = []string{string(rt.body)}
			l.Header = rt.body == server.JSON
		}
		want[rt.method+" "+rt.path] = l
	}
	ids := map[string]bool{}
	for path, item := range document().Paths.Map() {
		for method, op := range item.Operations() {
			l := line{Path: path, Open: op.Security != nil && len(*op.Security) == 0}
			l.Scope, _ = op.Extensions["x-scope"].(string)
			for _, p := range op.Parameters {
				switch {
				case p.Value.In == "query":
					l.Query = append(l.Query, p.Value.Name)
				case p.Value.Name == onceHeader:
					l.Header = true
				}
			}
			slices.Sort(l.Query)
			if op.RequestBody != nil {
				for media := range op.RequestBody.Value.Content {
					l.Body = append(l.Body, media)
				}
			}
			if op.OperationID == "" || ids[op.OperationID] {
				t.Errorf("%s %s: operationId %q is missing or not the only one", method, path, op.OperationID)
			}
			ids[op.OperationID] = true
			got[method+" "+path] = l
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("routes (-) and contract (+):\n%s", d)
	}
}

// Lists of words are the same in the code and in the contract.
func TestContractHasEveryWord(t *testing.T) {
	text := func(vs any) (out []string) {
		v := reflect.ValueOf(vs)
		for i := range v.Len() {
			out = append(out, v.Index(i).String())
		}
		return out
	}
	for name, want := range map[string][]string{
		"Scope":          text(bonafide.Scopes),
		"EventType":      text(bonafide.EventTypes),
		"IdentifierKind": text(bonafide.IdentifierKinds),
		"Family":         slices.Sorted(slices.Values(text(bonafide.Families))),
		"RingState":      ringStates,
	} {
		var got []string
		for _, v := range document().Components.Schemas[name].Value.Enum {
			got = append(got, fmt.Sprint(v))
		}
		if name == "Family" {
			slices.Sort(got)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: code (-) and contract (+):\n%s", name, d)
		}
	}
}

// Every field of a type that is answered or read stands in its schema, and the
// reverse.
func TestContractHasEveryField(t *testing.T) {
	for name, v := range map[string]any{
		"Complaint": bonafide.Complaint{}, "Customer": bonafide.Customer{}, "Contract": bonafide.Contract{}, "CollectionCall": bonafide.CollectionCall{},
		"Authority": bonafide.Authority{}, "Screening": bonafide.Screening{}, "Link": bonafide.Link{}, "Verdict": bonafide.Verdict{}, "Ring": bonafide.Ring{},
		"Tag": bonafide.Tag{}, "Target": bonafide.Target{}, "Event": bonafide.Event{}, "Identifier": bonafide.Identifier{},
		"Taken": taken{}, "ComplaintView": complaintView{}, "Put": putRecord{}, "RecordView": recordView{}, "Erased": erased{}, "RingView": ringView{},
		"DecidedRing": decidedRing{}, "Pair": pair{}, "Template": templateView{}, "NewTag": newTag{}, "LookedUp": lookedUp{}, "Webhook": webhookView{},
		"Delivery": deliveryView{}, "Key": keyView{}, "Checkpoint": checkpointView{}, "LogEntry": entryView{}, "Proof": proofView{}, "Status": statusView{},
		"Problem": server.Problem{},
	} {
		sameFields(t, name, reflect.TypeOf(v), document().Components.Schemas[name].Value)
	}
	line := document().Components.Schemas["LineAnswer"].Value.OneOf
	sameFields(t, "LineAnswer", reflect.TypeFor[lineAnswer](), line[0].Value)
	sameFields(t, "LineAnswer, its end", reflect.TypeFor[lineEnd](), line[1].Value)
}

func sameFields(t *testing.T, name string, typ reflect.Type, s *openapi3.Schema) {
	t.Helper()
	var want, required, got []string
	for field := range typ.Fields() {
		f, opts, _ := strings.Cut(field.Tag.Get("json"), ",")
		if f == "" || f == "-" {
			continue
		}
		want = append(want, f)
		if opts == "" {
			required = append(required, f)
		}
		ft := field.Type
		for ft.Kind() == reflect.Slice || ft.Kind() == reflect.Pointer {
			ft = ft.Elem()
		}
		sub := s.Properties[f]
		for sub != nil && sub.Value != nil && sub.Value.Items != nil {
			sub = sub.Value.Items
		}
		if ft.Kind() == reflect.Struct && ft.PkgPath() == "bonafide" && sub != nil && len(sub.Value.Properties) > 0 {
			sameFields(t, name+"."+f, ft, sub.Value)
		}
	}
	for f := range s.Properties {
		got = append(got, f)
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: type (-) and contract (+):\n%s", name, d)
	}
	if s.AdditionalProperties.Has == nil || *s.AdditionalProperties.Has {
		t.Errorf("%s: the contract lets other fields pass", name)
	}
	if typ != reflect.TypeFor[newTag]() { // it is read only, and takes one of several fields
		slices.Sort(required)
		if d := cmp.Diff(required, slices.Sorted(slices.Values(s.Required))); d != "" {
			t.Errorf("%s: fields that are always there by the type (-) and the contract (+):\n%s", name, d)
		}
	}
}

// example returns the example of a request's body.
func example(t *testing.T, rt route) []byte {
	t.Helper()
	op, _ := operation(rt.method, rt.path)
	m := op.RequestBody.Value.Content[string(rt.body)]
	if m.Example == nil {
		t.Fatalf("%s %s: the contract has no example", rt.method, rt.path)
	}
	b, err := json.Marshal(m.Example)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of requests keep to their schemas.
func TestContractExamples(t *testing.T) {
	for _, rt := range routes {
		if rt.body == "" {
			continue
		}
		op, _ := operation(rt.method, rt.path)
		for line := range bytes.Lines(example(t, rt)) {
			if err := fits(op.RequestBody.Value.Content[string(rt.body)].Schema, line); err != nil {
				t.Errorf("%s %s: %v", rt.method, rt.path, err)
			}
		}
	}
}

func TestContractIsServed(t *testing.T) {
	w := newWorld(t)
	resp, err := w.srv.Client().Get(w.srv.URL + "/v1/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(b, openAPI) || resp.Header.Get("Content-Type") != "application/yaml" {
		t.Errorf("without a key: %v, %d bytes of %s, want the file", err, len(b), resp.Header.Get("Content-Type"))
	}
}
