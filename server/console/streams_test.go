package console

import "testing"

// Nobody opens streams without end, and who closes one may open another.
func TestStreamsAreBounded(t *testing.T) {
	var s streams
	var leave []func()
	for range streamsOfOne {
		done, ok := s.enter("a")
		if !ok {
			t.Fatal("refused too early")
		}
		leave = append(leave, done)
	}
	if _, ok := s.enter("a"); ok {
		t.Error("one more than the bound")
	}
	if _, ok := s.enter("b"); !ok {
		t.Error("another person is refused")
	}
	leave[0]()
	if _, ok := s.enter("a"); !ok {
		t.Error("refused after one was closed")
	}
	for _, done := range leave[1:] {
		done()
	}
	if s.of["a"] != 1 || s.all != 2 {
		t.Errorf("%d of one, %d of all are counted", s.of["a"], s.all)
	}
}
