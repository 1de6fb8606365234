package normalize

import (
	"slices"
	"strings"
	"unicode"
)

// words maps what English and Portuguese addresses abbreviate to one spelling;
// "" drops a word that carries nothing.
var words = func() map[string]string {
	m := map[string]string{}
	for short, long := range map[string]string{
		"st": "street str saint", "rd": "road", "ave": "avenue av aven avenida avn", "blvd": "boulevard boul blv", "dr": "drive drv", "ln": "lane",
		"ct": "court crt", "pl": "place", "sq": "square sqr praca pca", "ter": "terrace terr", "hwy": "highway hiway", "pkwy": "parkway pky pkway", "cir": "circle circ",
		"trl": "trail", "cres": "crescent crs", "cl": "close", "gdns": "gardens gdn garden", "gr": "grove grv", "expy": "expressway", "rte": "route",
		"n": "north", "s": "south", "e": "east", "w": "west", "ne": "northeast", "nw": "northwest", "se": "southeast", "sw": "southwest",
		"rua": "r", "tv": "travessa trav", "al": "alameda", "rod": "rodovia", "estr": "estrada", "lg": "largo", "jd": "jardim jard", "vl": "vila",
		"lt": "lote", "qd": "quadra", "cj": "conjunto conj",
		"mt": "mount", "ft": "fort", "hts": "heights", "bldg": "building edificio ed",
	} {
		for w := range strings.FieldsSeq(long) {
			m[w] = short
		}
	}
	for w := range strings.FieldsSeq("usa us uk brasil brazil bairro cep zip zipcode postcode no num numero number nr the of and de da do dos das delaware cidade estado endereco address england") {
		m[w] = ""
	}
	for name, abbr := range states {
		if !strings.Contains(name, " ") {
			m[name] = abbr
		}
	}
	delete(m, "washington") // the city is meant as often as the state
	delete(m, "new york")
	return m
}()

// states are the United States' postal abbreviations (USPS publication 28).
var states = map[string]string{
	"alabama": "al", "alaska": "ak", "arizona": "az", "arkansas": "ar", "california": "ca", "colorado": "co", "connecticut": "ct",
	"florida": "fl", "georgia": "ga", "hawaii": "hi", "idaho": "id", "illinois": "il", "indiana": "in", "iowa": "ia", "kansas": "ks", "kentucky": "ky",
	"louisiana": "la", "maine": "me", "maryland": "md", "massachusetts": "ma", "michigan": "mi", "minnesota": "mn", "mississippi": "ms", "missouri": "mo",
	"montana": "mt", "nebraska": "ne", "nevada": "nv", "ohio": "oh", "oklahoma": "ok", "oregon": "or", "pennsylvania": "pa", "tennessee": "tn",
	"texas": "tx", "utah": "ut", "vermont": "vt", "virginia": "va", "wisconsin": "wi", "wyoming": "wy",
}

// phrases are read before the words are split.
var phrases = strings.NewReplacer(
	"post office box", "pobox", "p.o. box", "pobox", "p.o.box", "pobox", "p. o. box", "pobox", "p o box", "pobox", "po box", "pobox", "p.o box", "pobox",
	"p.o. b.", "pobox", "caixa postal", "pobox", "c.p. ", "pobox ",
	"united states of america", "", "united states", "", "united kingdom", "", "great britain", "",
	"north carolina", "nc", "south carolina", "sc", "north dakota", "nd", "south dakota", "sd", "new hampshire", "nh", "new jersey", "nj", "new mexico", "nm",
	"west virginia", "wv", "rhode island", "ri", "district of columbia", "dc", "new york, new york", "new york, ny",
	"n.º", "nº", "no.", " ", "#", " apt ", "'", "", "’", "")

// designators stand before the number of a part of a building. A floor says
// less than the flat and is dropped from both forms where a flat is given.
var designators = map[string]string{
	"apt": "apt", "apartment": "apt", "apto": "apt", "ap": "apt", "apartamento": "apt", "unit": "apt", "flat": "apt", "suite": "apt", "ste": "apt",
	"room": "apt", "rm": "apt", "sala": "apt", "casa": "apt",
	"floor": "fl", "flr": "fl", "andar": "fl", "level": "fl",
	"block": "bl", "bl": "bl", "bloco": "bl", "torre": "bl", "tower": "bl",
	"pobox": "pobox",
}

// addressWords splits folded, unaccented text into canonical words. A part of a
// building becomes one word, as in apt_4; the underscore keeps it apart from
// ordinary words when the canonical form is read again.
func addressWords(s string) []string {
	s = phrases.Replace(s)
	raw := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '*' })
	out := make([]string, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		w := raw[i]
		if part, value, ok := strings.Cut(w, "_"); ok && (designators[part] == part || part == "fl") && value != "" && !strings.Contains(value, "_") {
			out = append(out, w)
			continue
		}
		if part, ok := strings.CutSuffix(w, "_"); ok && designators[part] != "" {
			out = append(out, w)
			continue
		}
		w = strings.ReplaceAll(w, "_", "")
		if w == "" {
			continue
		}
		if d, ok := designators[w]; ok {
			if d == "fl" && i > 0 && len(out) > 0 && ordinal(raw[i-1]) {
				out[len(out)-1] = "fl_" + strings.TrimRight(raw[i-1], "stndrhªºao")
				continue
			}
			j := i + 1
			for j < len(raw) && (designators[raw[j]] == "apt" || raw[j] == "no" || raw[j] == "n") {
				j++ // "apt #4" and "sala nº 4" name the part twice
			}
			if j < len(raw) && partNumber(raw[j]) {
				out = append(out, d+"_"+raw[j])
				i = j
				continue
			}
			// A name, as in Tower Road: marked, so that sorting gives it no number.
			out = append(out, w+"_")
			continue
		}
		if d, n := glued(w); d != "" {
			out = append(out, d+"_"+n)
			continue
		}
		if c, ok := words[w]; ok {
			if w = c; w == "" {
				continue
			}
		}
		out = append(out, w)
	}
	return out
}

// partNumber reports what can name a flat: digits with a letter, or one letter.
func partNumber(s string) bool {
	if len(s) > 8 || strings.Contains(s, "_") {
		return false
	}
	if len(s) == 1 {
		return isAlnum(s[0])
	}
	return strings.ContainsAny(s, "0123456789") && strings.IndexFunc(s, func(r rune) bool { return r > 0x7F || !isAlnum(byte(r)) }) < 0
}

func ordinal(s string) bool { return s != "" && isDigit(s[0]) && len(s) <= 5 }

// glued splits apt4 and ap12b.
func glued(s string) (part, n string) {
	i := strings.IndexAny(s, "0123456789")
	if i < 2 || len(s)-i > 6 {
		return "", ""
	}
	if d := designators[s[:i]]; d != "" && partNumber(s[i:]) {
		return d, s[i:]
	}
	return "", ""
}

func sortedWords(w []string) []string {
	w = slices.Clone(w)
	slices.Sort(w)
	return w
}

// latinAddress reads a European or American address. Lines come in any order in
// such files, so the words are sorted.
func latinAddress(s string) (Place, bool) {
	s, postal := latinPostal(s)
	all := addressWords(s)
	var building []string
	exact := all[:0:0]
	letters, digit, flat, box := 0, false, false, false
	for _, w := range all {
		flat = flat || strings.HasPrefix(w, "apt_")
	}
	for _, w := range all {
		switch {
		case strings.HasPrefix(w, "pobox_"):
			box = true
		case strings.HasPrefix(w, "apt_"):
			exact = append(exact, w)
			digit = true
			continue
		case strings.HasPrefix(w, "fl_"):
			if !flat {
				exact = append(exact, w)
			}
			continue
		}
		if strings.ContainsAny(w, "0123456789") {
			digit = true
		} else if len(w) > 2 {
			letters++
		}
		exact, building = append(exact, w), append(building, w)
	}
	if !box && (!digit || letters == 0 || len(building) < 2) || strings.Contains(s, "**") {
		return Place{}, false
	}
	if postal != "" {
		exact, building = append(exact, postal), append(building, postal)
	}
	p := Place{Exact: strings.Join(sortedWords(exact), " "), Building: strings.Join(sortedWords(building), " "), Postal: postal}
	return p, true
}

// latinPostal finds a postcode: the United Kingdom's by shape, Brazil's CEP by
// its hyphen or label, a ZIP as the last five digits behind a state or at the
// very end. It is taken out of s.
func latinPostal(s string) (rest, code string) {
	type span struct{ i, j int }
	var toks []span
	for i := 0; i < len(s); {
		if !isAlnum(s[i]) && s[i] < 0x80 {
			i++
			continue
		}
		j := i
		for j < len(s) && (isAlnum(s[j]) || s[j] >= 0x80 || s[j] == '-' && j+1 < len(s) && isDigit(s[j+1])) {
			j++
		}
		toks = append(toks, span{i, j})
		i = j
	}
	cut := func(i, j int) string { return s[:i] + " " + s[j:] }
	for k, tok := range slices.Backward(toks) {
		t := s[tok.i:tok.j]
		switch {
		case len(t) == 9 && t[5] == '-' && allDigits(t[:5]) && allDigits(t[6:]): // CEP
			return cut(tok.i, tok.j), t[:5] + t[6:]
		case len(t) == 8 && allDigits(t) && k > 0: // the same, canonical
			return cut(tok.i, tok.j), t
		case len(t) == 10 && t[5] == '-' && allDigits(t[:5]) && allDigits(t[6:]): // ZIP+4
			return cut(tok.i, tok.j), t[:5]
		case len(t) == 5 && allDigits(t) && k > 0 && (k == len(toks)-1 || stateBefore(s[toks[k-1].i:toks[k-1].j])):
			return cut(tok.i, tok.j), t
		case len(t) == 3 && isDigit(t[0]) && !isDigit(t[1]) && !isDigit(t[2]) && k > 0:
			if o := s[toks[k-1].i:toks[k-1].j]; outward(o) {
				return cut(toks[k-1].i, tok.j), o + t
			}
		case len(t) >= 5 && len(t) <= 7 && isDigit(t[len(t)-3]) && !isDigit(t[len(t)-2]) && !isDigit(t[len(t)-1]) && outward(t[:len(t)-3]):
			return cut(tok.i, tok.j), t
		}
	}
	return s, ""
}

// stateBefore reports a two-letter word.
func stateBefore(s string) bool {
	return len(s) == 2 && !isDigit(s[0]) && !isDigit(s[1]) && s[0] < 0x80
}

// outward reports the first half of a British postcode: EC1A, SW7, M1.
func outward(s string) bool {
	if len(s) < 2 || len(s) > 4 || isDigit(s[0]) {
		return false
	}
	digits := 0
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
		if i > 0 && isDigit(s[i]) {
			digits++
		} else if s[i] == '-' || digits == 0 && i > 1 {
			return false
		}
	}
	return digits >= 1
}
