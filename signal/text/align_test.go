package text

import (
	"strings"
	"testing"

	"bonafide"

	"github.com/google/go-cmp/cmp"
)

func TestSkeletonMarksSlots(t *testing.T) {
	model := "Dear Sir, my name is Anna Berg and on 12 May your agent called me 7 times at night. Stop at once."
	others := []string{
		"Dear Sir, my name is Li Wei and on 3 June your agent called me 12 times at night. Stop at once.",
		"Dear Sir, my name is Joana and on 30 July your agent called me 5 times at night. Stop at once!",
	}
	got := Skeleton(model, others, 1000)
	want := "Dear Sir, my name is ‹…› and on ‹number› your agent called me ‹number› times at night. Stop at once."
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAlignReturnsTheWholeLetter(t *testing.T) {
	a := "您好，贵公司催收人员在晚上十点以后反复拨打我的电话，我叫张三。"
	b := "你好！贵公司催收人员在晚上十点以后反复拨打我的电话，我叫李四。"
	var c *Corpus
	var whole strings.Builder
	var shared string
	for _, s := range c.Align(a, b) {
		whole.WriteString(s.Text)
		if s.Kind == bonafide.SpanShared {
			shared += s.Text
		}
	}
	if whole.String() != a {
		t.Errorf("spans join to %q, want the letter", whole.String())
	}
	if !strings.Contains(shared, "催收人员在晚上十点以后反复拨打我的电话") || strings.Contains(shared, "张三") {
		t.Errorf("shared passage %q", shared)
	}
}
