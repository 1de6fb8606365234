package evaluate

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Write writes s as an aligned table headed by name.
func (s Scores) Write(w io.Writer, name string) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(out, "%s (%d world(s))\n", name, len(s.Worlds))
	fmt.Fprintf(out, "innocents accused\t%d of %d\t%s\t95 %% interval %s to %s\n",
		s.FalselyAccused, s.Innocent, percent(s.FalseRate), percent(s.FalseLow), percent(s.FalseHigh))
	fmt.Fprintf(out, "routed clients accused\t%d of %d\t%s\tmust be none\n", s.RoutedAccused, s.RoutedClients, percent(ratio(s.RoutedAccused, s.RoutedClients)))
	fmt.Fprintf(out, "text-only accused\t%d of %d\t%s\tmust be none\n", s.TextOnlyAccused, s.TextOnly, percent(ratio(s.TextOnlyAccused, s.TextOnly)))
	fmt.Fprintf(out, "provable found\t%d of %d\t%s\t\n", s.ProvableFound, s.Provable, percent(s.Recall))
	fmt.Fprintf(out, "ring pairs, precision\t%d of %d\t%s\t\n", s.Pairs.PredictedTrue, s.Pairs.Predicted, percent(s.RingPrecision))
	fmt.Fprintf(out, "ring pairs, recall of provable\t%d of %d\t%s\tF1 %.3f\n", s.Pairs.ProvableFound, s.Pairs.Provable, percent(s.RingRecall), s.RingF1)
	fmt.Fprintf(out, "ring pairs, recall of all\t%d of %d\t%s\t\n", s.Pairs.AllFound, s.Pairs.All, percent(s.RingRecallAll))
	if len(s.Worlds) > 1 {
		fmt.Fprintf(out, "\nper world\tleast\tmedian\tgreatest\n")
		for _, f := range []struct {
			name string
			of   func(WorldScore) float64
		}{
			{"innocents accused", func(w WorldScore) float64 { return w.FalseRate }},
			{"provable found", func(w WorldScore) float64 { return w.Recall }},
			{"ring precision", func(w WorldScore) float64 { return w.RingPrecision }},
			{"ring recall", func(w WorldScore) float64 { return w.RingRecall }},
		} {
			least, median, greatest := s.Spread(f.of)
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", f.name, percent(least), percent(median), percent(greatest))
		}
	}
	fmt.Fprintf(out, "\ngroup\tcomplaints\taccused\tshare\tinformation\trouted\trouted accused\n")
	for _, g := range s.Groups {
		fmt.Fprintf(out, "%s\t%d\t%d\t%s\t%d\t%d\t%d\n", g.Group, g.Complaints, g.Accused, percent(ratio(g.Accused, g.Complaints)), g.Information, g.Routed, g.RoutedAccused)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write scores: %w", err)
	}
	return nil
}

// percent writes a share; small ones, such as the rate of false accusations, to
// three places.
func percent(x float64) string {
	if x > 0 && x < 0.01 {
		return fmt.Sprintf("%.3f %%", 100*x)
	}
	return fmt.Sprintf("%.1f %%", 100*x)
}
