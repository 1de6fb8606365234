package store

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"bonafide"
)

// An ItemRow is an item of evidence as it is kept, with what opens its content. Its body is
// sealed under whom it is about, else under the case: without that key neither what the item
// is called nor its content can be read, and its digests stay.
type ItemRow struct {
	bonafide.Item
	Subject string
	Address string   // of the sealed content; "" once it was erased
	Key     [32]byte // opens the content; zero once it was erased
	Custody int      // entries of the log about it
}

// itemBody is what is sealed of an item.
type itemBody struct {
	bonafide.Item
	Key []byte `json:"key"`
}

// AddItem registers an item whose content stands at its address, with the first entry of its
// custody. The case's next number is the item's.
func (tx *Tx) AddItem(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, i ItemRow) (ItemRow, error) {
	if _, err := tx.lock(ctx, t); err != nil {
		return i, err
	}
	i.Subject = caseSubject(i.Case)
	if i.Complaint != "" {
		var err error
		if i.Subject, err = tx.unerased(ctx, t, i.Complaint); err != nil {
			return i, err
		}
	}
	n, err := one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COALESCE(MAX(n), 0) FROM item WHERE tenant = $1 AND case_id = $2`, string(t), i.Case)
	if err != nil {
		return i, err
	}
	i.Number = n + 1
	sealed, err := tx.sealItem(ctx, t, i)
	if err != nil {
		return i, err
	}
	sha, err := hash32(i.SHA256)
	if err != nil {
		return i, err
	}
	sm3, err := hash32(i.SM3)
	if err != nil {
		return i, err
	}
	if _, err := tx.insert(ctx, "item", "", []any{
		string(t), i.ID, i.Case, int64(i.Number), i.Subject, micros(i.Stored), sha, sm3, i.Size, i.Address, int64(0), sealed,
	}); err != nil {
		return i, err
	}
	detail := map[string]any{"case": i.Case, "number": i.Number, "sha256": i.SHA256, "sm3": i.SM3, "size": i.Size, "address": i.Address}
	if i.Parent != "" {
		detail["parent"] = i.Parent
	}
	i.Custody = 1
	_, err = tx.Custody(ctx, t, actor, i.ID, "taken-in", detail)
	return i, err
}

func (tx *Tx) sealItem(ctx context.Context, t bonafide.Tenant, i ItemRow) ([]byte, error) {
	keys, err := tx.subjectKeys(ctx, t, []string{i.Subject}, nil)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(itemBody{i.Item, i.Key[:]})
	if err != nil {
		return nil, fmt.Errorf("write item: %w", err)
	}
	return keys[i.Subject].seal(tx.db.random, place("item", string(t), i.ID), body)
}

// Custody adds an entry to the custody of an item and returns its number. Detail holds
// nothing personal.
func (tx *Tx) Custody(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, item, action string, detail map[string]any) (int, error) {
	h, err := tx.lock(ctx, t)
	if err != nil {
		return 0, err
	}
	n, err := one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) }, `SELECT custody FROM item WHERE tenant = $1 AND id = $2`, string(t), item)
	if err != nil {
		return 0, otherwise(err, bonafide.NotFound, noItem)
	}
	n++
	if _, err := tx.exec(ctx, `UPDATE item SET custody = $3 WHERE tenant = $1 AND id = $2`, string(t), item, int64(n)); err != nil {
		return 0, err
	}
	if _, err := tx.insert(ctx, "custody", "", []any{string(t), item, int64(n), h.Entries}); err != nil {
		return 0, err
	}
	said := map[string]any{"n": n}
	maps.Copy(said, detail)
	return n, tx.Record(ctx, t, actor, "item."+action, "item:"+item, said)
}

// DeclareItem says that an item holds no personal data, or that it does, with an entry in its
// custody.
func (tx *Tx) DeclareItem(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, id string, personal bool) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	i, err := tx.Item(ctx, t, id)
	if err != nil {
		return err
	}
	if i.Erased {
		return &bonafide.Error{Kind: bonafide.NotFound, Msg: "the content of this item was erased"}
	}
	i.Personal = personal
	sealed, err := tx.sealItem(ctx, t, i)
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `UPDATE item SET body = $3 WHERE tenant = $1 AND id = $2`, string(t), id, sealed); err != nil {
		return err
	}
	_, err = tx.Custody(ctx, t, actor, id, "declared", map[string]any{"personal": personal})
	return err
}

// MoveItems puts the items of one case into another, behind those that are there: cases
// were merged.
func (tx *Tx) MoveItems(ctx context.Context, t bonafide.Tenant, actor bonafide.Actor, from, into string) error {
	if _, err := tx.lock(ctx, t); err != nil {
		return err
	}
	items, err := tx.Items(ctx, t, from)
	if err != nil {
		return err
	}
	n, err := one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COALESCE(MAX(n), 0) FROM item WHERE tenant = $1 AND case_id = $2`, string(t), into)
	if err != nil {
		return err
	}
	for k, i := range items {
		i.Case, i.Number = into, n+k+1
		sealed := []byte{}
		if !i.Erased {
			if i.Subject == caseSubject(from) {
				i.Subject = caseSubject(into)
			}
			if sealed, err = tx.sealItem(ctx, t, i); err != nil {
				return err
			}
		}
		if _, err := tx.exec(ctx, `UPDATE item SET case_id = $3, n = $4, subject = $5, body = $6 WHERE tenant = $1 AND id = $2`,
			string(t), i.ID, into, int64(i.Number), i.Subject, sealed); err != nil {
			return err
		}
		if _, err := tx.Custody(ctx, t, actor, i.ID, "moved", map[string]any{"from": from, "case": into, "number": i.Number}); err != nil {
			return err
		}
	}
	return nil
}

const noItem = "there is no such item"

const itemColumns = `i.id, i.case_id, i.n, i.subject, i.at, i.sha256, i.sm3, i.size, i.address, i.custody, i.body, s.key`

const itemFrom = ` FROM item i LEFT JOIN subject s ON s.tenant = i.tenant AND s.id = i.subject WHERE i.tenant = $1 `

func (tx *Tx) scanItem(t bonafide.Tenant) func(row) (ItemRow, error) {
	return func(r row) (i ItemRow, err error) {
		var at int64
		var sha, sm3, sealed, key []byte
		if err = r.Scan(&i.ID, &i.Case, &i.Number, &i.Subject, &at, &sha, &sm3, &i.Size, &i.Address, &i.Custody, &sealed, &key); err != nil {
			return i, err
		}
		kept := i
		if len(sealed) > 0 && len(key) > 0 && i.Address != "" {
			plain, err := tx.db.unseal(t, i.Subject, key, sealed, "item", string(t), i.ID)
			if err != nil {
				return i, err
			}
			var body itemBody
			if err := json.Unmarshal(plain, &body); err != nil {
				return i, fmt.Errorf("item %s: %w", i.ID, err)
			}
			i.Item = body.Item
			copy(i.Key[:], body.Key)
		} else {
			i.Erased = true
		}
		i.ID, i.Case, i.Number, i.Size, i.Stored = kept.ID, kept.Case, kept.Number, kept.Size, instant(at)
		i.SHA256, i.SM3 = hexOf(sha), hexOf(sm3)
		return i, nil
	}
}

// Item returns an item. Of one that was erased only its number, digests and size are left.
func (tx *Tx) Item(ctx context.Context, t bonafide.Tenant, id string) (ItemRow, error) {
	i, err := one(ctx, tx, tx.scanItem(t), `SELECT `+itemColumns+itemFrom+`AND i.id = $2`, string(t), id)
	return i, otherwise(err, bonafide.NotFound, noItem)
}

// Items lists the items of a case by number.
func (tx *Tx) Items(ctx context.Context, t bonafide.Tenant, caseID string) ([]ItemRow, error) {
	return list(ctx, tx, tx.scanItem(t), `SELECT `+itemColumns+itemFrom+`AND i.case_id = $2 ORDER BY i.n`, string(t), caseID)
}

// AddressesOf lists the addresses of what is kept about a subject: items, and what was
// written for sealed packs in which it stands.
func (tx *Tx) AddressesOf(ctx context.Context, t bonafide.Tenant, subject string) ([]string, error) {
	return list(ctx, tx, scanText, `SELECT address FROM item WHERE tenant = $1 AND subject = $2 AND address <> ''
		UNION SELECT e.address FROM seal e JOIN seal_subject w ON w.tenant = e.tenant AND w.case_id = e.case_id AND w.variant = e.variant AND w.n = e.n
		WHERE e.tenant = $1 AND w.subject = $2 AND e.address <> '' ORDER BY 1`, string(t), subject)
}

// Addressed reports whether any tenant's item or seal stands at an address.
func (tx *Tx) Addressed(ctx context.Context, address string) (bool, error) {
	n, err := one(ctx, tx, func(r row) (n int, err error) { return n, r.Scan(&n) }, `SELECT (SELECT count(*) FROM item WHERE address = $1) + (SELECT count(*) FROM seal WHERE address = $1)`, address)
	return n > 0, err
}

// A CustodyEntry is an entry of the log that is about an item.
type CustodyEntry struct {
	Item  string
	N     int
	Entry int64
	Data  []byte // the entry's exact bytes
}

// CustodyOf lists the custody of items up to a size of the log, 0 for all, in the order of
// the log.
func (tx *Tx) CustodyOf(ctx context.Context, t bonafide.Tenant, items []string, size int64) ([]CustodyEntry, error) {
	if err := tx.flush(ctx); err != nil {
		return nil, err
	}
	var out []CustodyEntry
	for some := range slices.Chunk(items, 500) {
		part, err := list(ctx, tx, func(r row) (e CustodyEntry, err error) { return e, r.Scan(&e.Item, &e.N, &e.Entry, &e.Data) },
			`SELECT c.item, c.n, c.entry, e.data FROM custody c JOIN entry e ON e.tenant = c.tenant AND e.id = c.entry
			WHERE c.tenant = $1 AND ($2 = 0 OR c.entry < $2) AND `+tx.db.d.in("c.item", 3)+` ORDER BY c.entry`, string(t), size, tx.db.d.list(some))
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	slices.SortFunc(out, func(a, b CustodyEntry) int { return cmp.Compare(a.Entry, b.Entry) })
	return out, nil
}

// Addresses lists the addresses of every tenant's items and seals.
func (tx *Tx) Addresses(ctx context.Context) ([]string, error) {
	return list(ctx, tx, scanText, `SELECT address FROM item WHERE address <> '' UNION SELECT address FROM seal WHERE address <> '' ORDER BY 1`)
}

func hash32(digest string) ([]byte, error) {
	b, err := hex.DecodeString(digest)
	if err != nil || len(b) != 32 {
		return nil, fmt.Errorf("store item: %q is no digest of 32 bytes", digest)
	}
	return b, nil
}

func hexOf(digest []byte) string { return hex.EncodeToString(digest) }
