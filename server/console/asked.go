package console

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// askedPage is what a customer sees who opens the link of a question. It names nobody and
// shows nothing of a complaint: whoever reads the message may be somebody else.
type askedPage struct {
	Token  string
	Kind   bonafide.VerificationKind
	Lender string
	Filed  time.Time
	State  string // ask, thanks or gone
	Langs  []Lang
}

// askedPerMinute is how many questions one address may open or answer a minute.
const askedPerMinute = 20

// asker is a customer's visit: nobody is signed in, whoever the browser knows.
func (k *Console) asker(r *http.Request) (*visit, error) {
	if wait, ok := k.asked.Take(addressOf(r, k.Auth.BehindProxy), askedPerMinute, askedPerMinute, k.Now()); !ok {
		return nil, &server.Refusal{Status: http.StatusTooManyRequests, Detail: "too many questions were opened from this address: wait a minute", After: wait}
	}
	return &visit{tongue: k.tongue(chooseLang(r.FormValue("lang"), r.Header.Get("Accept-Language")))}, nil
}

func (k *Console) askedQuestion(w http.ResponseWriter, r *http.Request, _ *visit) error {
	who, err := k.asker(r)
	if err != nil {
		return err
	}
	page, err := k.readQuestion(r, who)
	if err != nil {
		return err
	}
	return k.showAsked(w, r, who, page)
}

// readQuestion reads what a link asks. It says the same of every link that is not good.
func (k *Console) readQuestion(r *http.Request, who *visit) (askedPage, error) {
	ctx := r.Context()
	page := askedPage{State: "gone", Lender: k.lender(who.tongue), Langs: langs}
	c, v, err := k.Front.Question(ctx, r.PathValue("token"))
	if err != nil {
		if _, internal := server.Refused(err); internal {
			return page, err
		}
		return page, nil
	}
	err = k.Store.View(ctx, func(tx *store.Tx) error {
		row, err := tx.Track(ctx, c.Tenant, v.Complaint)
		page.Filed = row.Received
		return err
	})
	if err != nil {
		return page, err
	}
	page.Token, page.Kind, page.State = r.PathValue("token"), v.Kind, "ask"
	return page, nil
}

func (k *Console) showAsked(w http.ResponseWriter, r *http.Request, who *visit, page askedPage) error {
	status := http.StatusOK
	if page.State == "gone" {
		status = http.StatusNotFound
	}
	k.show(w, r, who, status, "asked", page)
	return nil
}

// answers are what a customer can say.
var answers = []string{"yes", "no", "unsure"}

func (k *Console) answerQuestion(w http.ResponseWriter, r *http.Request, _ *visit) error {
	who, err := k.asker(r)
	if err != nil {
		return err
	}
	page := askedPage{State: "thanks", Lender: k.lender(who.tongue), Langs: langs}
	answer := r.PostFormValue("answer")
	if !slices.Contains(answers, answer) {
		if page, err = k.readQuestion(r, who); err != nil {
			return err
		}
		return k.showAsked(w, r, who, page)
	}
	if err := k.Front.AnswerLink(r.Context(), r.PathValue("token"), answer); err != nil {
		if refusal, internal := server.Refused(err); internal || refusal.Status == http.StatusServiceUnavailable {
			return err
		}
		page.State = "gone"
	}
	return k.showAsked(w, r, who, page)
}

// addressOf is what a client can hardly change: the IPv4 address, or the network of the
// IPv6 one. Behind a proxy it is what the proxy says.
func addressOf(r *http.Request, proxied bool) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if via := r.Header.Values("X-Forwarded-For"); proxied && len(via) > 0 {
		last := via[len(via)-1]
		host = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap()
	if ip.Is6() {
		if net, err := ip.Prefix(64); err == nil {
			return net.String()
		}
	}
	return ip.String()
}

// lender is what the lender is called towards its customers.
func (k *Console) lender(g tongue) string { return cmp.Or(k.Lender, g.T("ask.lender")) }
