package bonafide

import "unicode/utf8"

// maxID and maxShort are the most characters that an id and a line of text have.
const maxID, maxShort = 128, 500

const wantID = "not an id: 1 to 128 characters of UTF-8 without control characters"

// ValidID reports whether s can be the id of something the lender names: 1 to 128
// characters, none of them a control character.
func ValidID(s string) bool {
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxID {
		return false
	}
	for _, r := range s {
		if r < 0x20 || r >= 0x7F && r < 0xA0 {
			return false
		}
	}
	return true
}

// wrong returns an error about one field. It names the field and never its value.
func wrong(field, reason string) error {
	return &Error{Kind: Invalid, Msg: field + ": " + reason}
}

// short checks a line of text.
func short(s, field string) error {
	if utf8.RuneCountInString(s) > maxShort {
		return wrong(field, "longer than 500 characters")
	}
	return nil
}
