package console
import ("testing";"time")
func TestSmoke(t *testing.T){ s:=time.Now(); o:=newOffice(t); t.Log(time.Since(s)); s=time.Now(); o.ready(2); t.Log(time.Since(s))
 c:=o.signIn(o.north.People["all"]); t.Log(time.Since(s), len(built.file), o.north, )
 for _, rt := range routes { m, at := o.north.fill(rt.pattern); if m=="GET" && at!="/live" { a:=c.get(at); t.Log(at, a.Status, len(a.Body)) } } }
