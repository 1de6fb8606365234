package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"bonafide"
	"bonafide/server"
	"bonafide/store"
)

// Intake hands complaints to the live engine and waits until they are durable and,
// where it can, screened. Repetitions and conflicts are receipts; an error means that
// nothing is known of any of them.
type Intake interface {
	Submit(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, in []Submission) ([]Receipt, error)
}

// A Submission is one complaint handed in.
type Submission struct {
	Complaint *bonafide.Complaint
	Once      *Once // nil where the request has no idempotency key
}

// Once makes a request give the same answer each time it is sent.
type Once struct {
	Key    string
	Digest []byte // of the request
	// Answer renders what is answered; it is stored in the transaction of a complaint
	// that is new, under the actor's id. It is not called for others.
	Answer func(Receipt) store.Answer
}

// A Receipt says what became of a submission.
type Receipt struct {
	ID        string
	Status    bonafide.PutStatus // created, unchanged or conflict
	Seq       int64
	Screening *bonafide.Screening // nil where it was here before, or is to be screened
	Queued    bool                // stored, to be screened
	Msg       string              // why, for a conflict
	Replayed  *store.Answer       // the stored answer of the same request; nil if there is none
}

// Hasher turns values into the keyed hashes that they are filed under.
type Hasher interface {
	// Targets returns what tags could stand on that belongs to the values given.
	Targets(ctx context.Context, t bonafide.Tenant, ids []bonafide.Identifier, customerRef, complaint string) ([]bonafide.Target, error)
	// Subject names the person under whose key a customer's values are sealed; "" where
	// nothing tells who it is. It MUST depend on Ref alone where there is one.
	Subject(ctx context.Context, t bonafide.Tenant, c *bonafide.Customer) (string, error)
	Digest(ctx context.Context, t bonafide.Tenant, content []byte) ([]byte, error)
}

// Decider takes what people decide. It MUST call keep once, in the transaction of
// the change, and MUST fail with keep's error.
type Decider interface {
	// Decide gives keep the state that the ring is in afterwards: a ring at level 1 stays
	// proposed until a second person confirms it.
	Decide(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, ring string, d Decision, keep func(*store.Tx, bonafide.RingState) error) error
	// Apart keeps that two complaints are not linked; Together takes that back.
	Apart(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a, b, reason string, keep func(*store.Tx) error) error
	Together(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, a, b, reason string, keep func(*store.Tx) error) error
}

// Eraser makes everything that is kept of a person unreadable for good, in the store
// and in memory. The person is named by the customer number or by one of their
// complaints; the other is empty. It MUST call keep once, in the transaction of the
// change, with the person's subject and complaints, and MUST fail with keep's error.
type Eraser interface {
	Erase(ctx context.Context, t bonafide.Tenant, by bonafide.Actor, customerRef, complaint, reason string, keep func(tx *store.Tx, subject string, complaints []string) error) error
}

// A Decision is what a person decided about a ring.
type Decision struct {
	Verb             bonafide.Verb
	Reason, Innocent string // why, and which innocent explanations were tested and how
}

// Limits bound what a client can ask for. A zero means the default.
type Limits struct {
	Body     int64         // bytes of one JSON body: 1 MiB
	Line     int           // bytes of one line of a stream: 4 MiB
	Batch    int           // lines handed on at once: 256
	BadLines int           // wrong lines after which a stream is ended: 10,000
	Streams  int           // streams at a time of one key: 4
	Rate     int           // requests a minute of a key that has no rate of its own: 60,000
	Failures int           // requests a minute without a valid key, of one address: 60
	Trust    time.Duration // how long a key is believed without asking the store: 3 s; a revocation takes as long
	Wait     time.Duration // how long a request may take that is no stream: 1 min
	Pause    time.Duration // how long a stream may stand still before it is cut: 1 min
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	if l.Body <= 0 {
		l.Body = 1 << 20
	}
	def(&l.Line, 4<<20)
	def(&l.Batch, 256)
	def(&l.BadLines, 10_000)
	def(&l.Streams, 4)
	def(&l.Rate, 60_000)
	def(&l.Failures, 60)
	if l.Trust <= 0 {
		l.Trust = 3 * time.Second
	}
	if l.Wait <= 0 {
		l.Wait = time.Minute
	}
	if l.Pause <= 0 {
		l.Pause = time.Minute
	}
	return l
}

// A Config is what the API is made of. Everything but Limits and LogKey is required.
type Config struct {
	Store     *store.DB
	Intake    Intake
	Hasher    Hasher
	Decider   Decider
	Eraser    Eraser
	Front     Front
	Readiness server.Readiness
	Now       func() time.Time
	Random    io.Reader // of secrets; safe for concurrent use
	Log       *slog.Logger
	Version   string
	LogKey    string // verifies checkpoints of the log; shown beside them
	Limits    Limits
}

// An api answers requests.
type api struct {
	Config
	keys     keyring
	requests server.Rate // by key
	failures server.Rate // by address

	mu      sync.Mutex
	streams map[string]int // open ones, by key
}

// New returns the handler of everything under /v1.
func New(c Config) http.Handler { return newAPI(c).handler() }

func newAPI(c Config) *api {
	c.Limits = c.Limits.withDefaults()
	return &api{Config: c, streams: map[string]int{}}
}

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		mux.Handle(rt.method+" /v1"+rt.path, server.Handle(a.Log, func(w http.ResponseWriter, r *http.Request) error {
			who, err := a.admit(r, rt)
			if err != nil {
				return err
			}
			if rt.body != server.NDJSON {
				ctx, done := context.WithTimeout(r.Context(), a.Limits.Wait)
				defer done()
				r = r.WithContext(ctx)
			}
			return rt.do(a, w, r, who)
		}))
	}
	return server.Exact(a.Log, mux)
}
