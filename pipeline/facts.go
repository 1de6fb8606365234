package pipeline

import (
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"bonafide"
	"bonafide/normalize"
)

// A Keeper turns a complaint into facts: one spelling for each value, then its
// keyed hash.
type Keeper struct {
	normal *normalize.Normalizer
	hasher *normalize.Hasher
}

// NewKeeper returns a keeper that hashes under secret. Facts of different
// secrets cannot be compared.
func NewKeeper(cfg normalize.Config, secret []byte) *Keeper {
	return &Keeper{normal: normalize.New(cfg), hasher: normalize.NewHasher(secret)}
}

// Facts returns what comparisons may know of c.
func (k *Keeper) Facts(c *bonafide.Complaint) *bonafide.Facts {
	f := &bonafide.Facts{
		Complaint: c.ID, Received: c.Received, Channel: c.Channel,
		Region:     normalize.Fold(strings.TrimSpace(c.Customer.Region)),
		Product:    normalize.Fold(strings.TrimSpace(c.Product)),
		WhitePath:  c.Representative.WhitePath(),
		Vulnerable: strings.TrimSpace(c.Customer.Vulnerable) != "",
	}
	f.Known = k.facts(f.Known, bonafide.Phone, c.Customer.Phone)
	f.Known = k.facts(f.Known, bonafide.Email, c.Customer.Email)
	home := c.Customer.Address
	for _, id := range c.Contacts {
		f.Filed = k.facts(f.Filed, id.Kind, id.Value)
		if id.Kind == bonafide.Address && home == "" {
			home = id.Value
		}
	}
	if p, ok := normalize.ParseAddress(home); ok {
		f.Home = k.hasher.Sum("home", p.Exact)
		f.Building = k.hasher.Sum("building", p.Building)
		f.Numbers, f.Pieces = k.pieces(home)
	}
	for _, d := range c.Documents {
		sum := strings.ToLower(strings.TrimSpace(d.SHA256))
		if _, err := hex.DecodeString(sum); err != nil || len(sum) != 64 {
			continue
		}
		f.Papers = append(f.Papers, bonafide.Paper{Key: k.hasher.Sum("paper", sum), Kind: d.Kind, Verified: d.Verified})
	}
	k.self(f, c)
	return f
}

// maxPieces bounds what is kept of one address.
const maxPieces = 96

// pieces cuts an address into its numbers and its runs of three runes, spaces and
// signs left out.
func (k *Keeper) pieces(address string) (numbers, pieces []bonafide.Key) {
	var runes []rune
	number := ""
	for _, r := range normalize.Fold(address) + " " {
		if '0' <= r && r <= '9' {
			number += string(r)
		} else if number != "" {
			numbers = append(numbers, k.hasher.Sum("address number", number))
			number = ""
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			runes = append(runes, r)
		}
	}
	for i := 0; i+3 <= len(runes) && i < maxPieces; i++ {
		pieces = append(pieces, k.hasher.Sum("address piece", string(runes[i:i+3])))
	}
	slices.Sort(numbers)
	slices.Sort(pieces)
	return slices.Compact(numbers), slices.Compact(pieces)
}

// self adds the keys that tell that two complaints are by one customer.
func (k *Keeper) self(f *bonafide.Facts, c *bonafide.Complaint) {
	if ref := strings.TrimSpace(c.Customer.Ref); ref != "" {
		f.Self = append(f.Self, k.hasher.Sum("ref", normalize.Fold(ref)))
	}
	if id, ok := normalize.ID(c.Customer.IDNumber); ok {
		f.Self = append(f.Self, k.hasher.Sum("national id", id.Country+" "+id.Text))
	}
	if v, ok := k.normal.Identifier(bonafide.Identifier{Kind: bonafide.Account, Value: c.Account}); ok && !v.Masked {
		f.Self = append(f.Self, k.hasher.Sum("loan", v.Text))
	}
	name, ok := normalize.Name(c.Customer.Name)
	if !ok {
		return
	}
	if name.Surname != "" {
		f.Surname = k.hasher.Sum("surname", name.Surname)
	}
	// A name alone is shared by many; with a phone, a mailbox or a home it is one person.
	for _, facts := range [][]bonafide.Fact{f.Known, f.Filed} {
		for _, x := range facts {
			if x.Key != 0 && (x.Kind == bonafide.Phone || x.Kind == bonafide.Email) {
				f.Self = append(f.Self, k.hasher.Sum("name and contact", name.Full+" "+keyText(x.Key)))
			}
		}
	}
	// A mailbox that the lender knew before the dispute, with half of the name:
	// names are cut and swapped in records. Families who share a mailbox count
	// as one customer then, which accuses nobody.
	for _, x := range f.Known {
		if x.Key != 0 && x.Kind == bonafide.Email {
			for part := range strings.FieldsSeq(name.Full) {
				f.Self = append(f.Self, k.hasher.Sum("name part and mailbox", part+" "+keyText(x.Key)))
			}
		}
	}
	if f.Home != 0 {
		f.Self = append(f.Self, k.hasher.Sum("name and home", name.Full+" "+keyText(f.Home)))
	}
}

func keyText(key bonafide.Key) string {
	var b [8]byte
	for i := range b {
		b[i] = byte(key >> (8 * i))
	}
	return string(b[:])
}

// facts appends the fact that value states, if it states one.
func (k *Keeper) facts(dst []bonafide.Fact, kind bonafide.IdentifierKind, value string) []bonafide.Fact {
	if value == "" {
		return dst
	}
	v, ok := k.normal.Identifier(bonafide.Identifier{Kind: kind, Value: value})
	if !ok {
		return dst
	}
	f := bonafide.Fact{Kind: v.Kind}
	if !v.Masked {
		text := v.Text
		if v.Kind == bonafide.Phone {
			text = line(text)
		}
		f.Key = k.hasher.Sum(string(v.Kind), text)
	}
	if shape := visible(v.Kind, v); shape != "" {
		f.Visible = k.hasher.Sum("visible "+string(v.Kind), shape)
	}
	if slices.Contains(dst, f) {
		return dst
	}
	return append(dst, f)
}

// line is the part of a phone number that names the line: its last ten digits.
// One number is written with and without its country code and trunk zero, and
// where no country is given nothing else is sure to be the same.
func line(number string) string {
	return number[max(0, len(number)-10):]
}

// visible is what the usual mask of a phone leaves: all but the four digits
// before the last four. A value hidden in another way meets nobody.
func visible(kind bonafide.IdentifierKind, v normalize.Value) string {
	if kind != bonafide.Phone || len(v.Text) < 9 {
		return ""
	}
	n := len(v.Text)
	shape := v.Text[:n-8] + "****" + v.Text[n-4:]
	if v.Masked && v.Text != shape {
		return ""
	}
	return shape
}

// Filed returns the keyed hash of an identifier's one spelling, and the kind it
// turned out to be of: a bare number given as a handle can be a phone. It reports
// false for a value that identifies nobody.
func (k *Keeper) Filed(id bonafide.Identifier) (SharedKey, bool) {
	for _, f := range k.facts(nil, id.Kind, id.Value) {
		if f.Key != 0 {
			return SharedKey{Kind: string(f.Kind), Key: f.Key}, true
		}
	}
	return SharedKey{}, false
}

// Self returns the key of the customer: the customer number where there is one, else the
// first of what tells customers apart, 0 where nothing does.
func (k *Keeper) Self(c *bonafide.Customer) bonafide.Key {
	f := &bonafide.Facts{}
	k.self(f, &bonafide.Complaint{Customer: *c})
	if len(f.Self) == 0 {
		return 0
	}
	return f.Self[0]
}

// Digest returns the keyed hash of content, by which the same content is known again.
func (k *Keeper) Digest(content []byte) []byte { return k.hasher.Digest(content) }
