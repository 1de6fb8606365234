package pipeline

import (
	"bonafide"
	"bonafide/signal/text"
)

// SkeletonOf returns what letters have in common, with what differs left open and what
// identifies people hidden; and the index of the letter that is most like the others.
func SkeletonOf(letters []bonafide.Complaint) (skeleton string, model int) {
	if len(letters) == 0 {
		return "", 0
	}
	parsed := make([]text.Letter, len(letters))
	texts := make([]string, len(letters))
	var names []string
	for i, c := range letters {
		parsed[i], texts[i] = text.ParseLetter(c.Text), c.Text
		names = append(names, c.Customer.Name)
	}
	m, most := text.NewComparer(nil), -1.0
	for i := range parsed[:min(len(parsed), 12)] {
		m.Set(parsed[i])
		sum := 0.0
		for j := range parsed[:min(len(parsed), 12)] {
			if i != j {
				sum += m.With(parsed[j]).Plain
			}
		}
		if sum > most {
			model, most = i, sum
		}
	}
	return MaskLetter(text.Skeleton(texts[model], texts[:min(len(texts), skeletonLetters)], skeletonBytes), names...), model
}
