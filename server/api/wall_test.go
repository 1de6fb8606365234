package api

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"bonafide"
	"bonafide/store"
)

// Safeguard 8: systems of credit, pricing, limits, collection, employment and marketing
// learn nothing that is suspected of anybody. Their keys cannot have a scope that shows
// it, neither by the API nor by the store; whatever they ask, no answer holds a tag, a
// ring or a level.
func TestSafeguard08PurposeWall(t *testing.T) {
	w := newWorld(t)
	th := w.a.seed()
	ctx := t.Context()
	walled := 0
	for _, p := range bonafide.KeyPurposes {
		if !p.Walled() {
			continue
		}
		walled++
		for _, s := range bonafide.Scopes {
			_, hash, err := NewSecret(w.api.Random)
			if err != nil {
				t.Fatal(err)
			}
			err = w.db.Update(ctx, func(tx *store.Tx) error {
				return tx.AddKey(ctx, w.a.tenant, bonafide.System("test"), store.APIKey{ID: string(p) + string(s), Hash: hash, Scopes: []bonafide.Scope{s}, Purpose: p})
			})
			if allowed := s == bonafide.ScopeRecordsWrite; allowed != (err == nil) || !allowed && !errors.Is(err, bonafide.Denied) {
				t.Errorf("a key for %s with the scope %s: %v", p, s, err)
			}
			g := w.a.call("POST", "/keys", map[string]any{"name": "walled", "scopes": []bonafide.Scope{s}, "purpose": p})
			if want := map[bool]int{true: 201, false: 403}[s == bonafide.ScopeRecordsWrite]; g.status != want {
				t.Errorf("POST /keys for %s with the scope %s: status %d, want %d: %s", p, s, g.status, want, g.body)
			}
		}
		c := w.key("tenant-a", store.APIKey{Name: string(p), Scopes: []bonafide.Scope{bonafide.ScopeRecordsWrite}, Purpose: p})
		for _, rt := range routes {
			g := c.request(rt, th)
			if rt.scope != "" && rt.scope != bonafide.ScopeRecordsWrite {
				if g.status != 403 {
					t.Errorf("%s %s for %s: status %d, want 403", rt.method, rt.path, p, g.status)
				}
				continue
			}
			if rt.path == "/openapi.yaml" {
				continue
			}
			for _, word := range []string{th.tag, th.ring, "level-2", "suspic", `"ring`, `"tag`} {
				if bytes.Contains(g.body, []byte(word)) {
					t.Errorf("%s %s for %s: the answer holds %s: %s", rt.method, rt.path, p, word, g.body)
				}
			}
		}
	}
	if walled != 6 {
		t.Errorf("%d purposes are walled off, want 6", walled)
	}
	for _, rt := range routes {
		if strings.Contains(rt.path, "credit") || strings.Contains(rt.path, "score") {
			t.Errorf("%s: a route for what nothing here may be used for", rt.path)
		}
	}
}
