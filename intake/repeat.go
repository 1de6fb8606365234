package intake

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"bonafide"
)

// A first is where an id was first used and a digest of what it stood for: 16
// bytes an id, beside 16 for the id's own digest, and no personal value.
type first struct {
	content uint64
	file    uint32
	line    uint32
}

// repeats remembers the ids of all files read. Digests are cryptographic, so
// nobody can craft two ids that meet.
type repeats struct {
	seen  map[[16]byte]first
	files []string
	buf   []byte
}

// meet files c under its id. known is false for a new id; same says whether the
// content is what the id stood for before.
func (r *repeats) meet(c *bonafide.Complaint, file string, line int) (at first, known, same bool) {
	if r.seen == nil {
		r.seen = map[[16]byte]first{}
	}
	if len(r.files) == 0 || r.files[len(r.files)-1] != file {
		r.files = append(r.files, file)
	}
	id := sha256.Sum256([]byte(c.ID))
	key := [16]byte(id[:16])
	content := r.digest(c)
	if f, ok := r.seen[key]; ok {
		return f, true, f.content == content
	}
	r.seen[key] = first{content, uint32(len(r.files) - 1), uint32(line)}
	return first{}, false, false
}

// digest sums up everything a complaint says. Every part goes in with its
// length, so that nothing can move from one field to the next.
func (r *repeats) digest(c *bonafide.Complaint) uint64 {
	b := r.buf[:0]
	add := func(parts ...string) {
		for _, s := range parts {
			b = binary.AppendUvarint(b, uint64(len(s)))
			b = append(b, s...)
		}
	}
	count := func(n int) { b = binary.AppendUvarint(b, uint64(n)) }
	if !c.Received.IsZero() {
		b = binary.AppendVarint(b, c.Received.UnixMicro())
	}
	u := c.Customer
	add(string(c.Channel), c.Lang, c.Text, c.Product, c.Account, c.ExternalRef, u.Ref, u.Name, u.IDNumber, u.Phone, u.Email, u.Address, u.Region, u.Vulnerable)
	if rep := c.Representative; rep != nil {
		add(string(rep.Type), rep.Name, rep.Licence)
		if rep.Confirmed {
			count(1)
		}
	}
	count(len(c.Contacts))
	for _, id := range c.Contacts {
		add(string(id.Kind), id.Value)
	}
	count(len(c.Demands))
	add(c.Demands...)
	if c.Amount != nil {
		b = binary.AppendVarint(b, c.Amount.Minor)
		add(c.Amount.Currency)
	}
	count(len(c.Documents))
	for _, d := range c.Documents {
		add(d.Kind, d.Path, d.SHA256, string(d.Verified))
	}
	count(len(c.Calls))
	for _, call := range c.Calls {
		add(call.Path, call.Transcript)
		b = binary.AppendVarint(b, call.Started.Unix())
	}
	sum := sha256.Sum256(b)
	clear(b) // no complaint stays behind in memory
	r.buf = b[:0]
	if cap(b) > 1<<20 {
		r.buf = nil
	}
	return binary.BigEndian.Uint64(sum[:])
}

func (r *repeats) file(f first) string { return r.files[min(int(f.file), len(r.files)-1)] }

// sortedKeys returns the keys of m in order.
func sortedKeys(m map[string]int) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
