// Package evaluate measures how well a prediction fits a made-up world: how many
// innocents it accuses, how many provable agent complaints it finds, and how well
// its rings match the true ones. Three simple baselines put the figures in
// proportion. Read score.go, sum.go, baseline.go, write.go.
package evaluate
