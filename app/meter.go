package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"bonafide/server"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// meter counts what happens. Its labels are routes, methods and statuses: no id and
// no tenant.
type meter struct {
	registry  *prometheus.Registry
	stored    prometheus.Counter
	commit    prometheus.Histogram
	batch     prometheus.Histogram
	group     prometheus.Histogram
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
}

func newMeter(a *App) *meter {
	fine := []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10}
	m := &meter{
		registry:  prometheus.NewRegistry(),
		stored:    prometheus.NewCounter(prometheus.CounterOpts{Name: "bonafide_complaints_stored_total", Help: "Complaints stored since the start."}),
		commit:    prometheus.NewHistogram(prometheus.HistogramOpts{Name: "bonafide_commit_seconds", Help: "Time of one transaction of intake: screening and storing all that waited.", Buckets: fine}),
		batch:     prometheus.NewHistogram(prometheus.HistogramOpts{Name: "bonafide_commit_complaints", Help: "Complaints in one transaction of intake.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}}),
		group:     prometheus.NewHistogram(prometheus.HistogramOpts{Name: "bonafide_group_seconds", Help: "Time of joining all evidence of a tenant anew.", Buckets: []float64{.1, .5, 1, 5, 10, 30, 60, 120, 300, 600}}),
		requests:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "bonafide_http_requests_total", Help: "Requests answered."}, []string{"method", "route", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "bonafide_http_seconds", Help: "Time to answer.", Buckets: fine}, []string{"method", "route"}),
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f)
	}
	m.registry.MustRegister(
		m.stored, m.commit, m.batch, m.group, m.requests, m.durations,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "bonafide_sql_statements_total", Help: "SQL round trips."}, func() float64 { return float64(a.DB.Statements()) }),
		gauge("bonafide_complaints_in_memory", "Complaints that new ones are compared with.", func() float64 {
			var n int64
			for _, s := range a.Engine.Status() {
				n += s.Loaded
			}
			return float64(n)
		}),
		gauge("bonafide_ready", "1 once every tenant's complaints are in memory.", func() float64 {
			for _, s := range a.Engine.Status() {
				if !s.Ready {
					return 0
				}
			}
			return 1
		}),
	)
	return m
}

// Committed counts one transaction of intake.
func (m *meter) Committed(complaints int, took time.Duration) {
	m.stored.Add(float64(complaints))
	m.batch.Observe(float64(complaints))
	m.commit.Observe(took.Seconds())
}

// Grouped counts one grouping.
func (m *meter) Grouped(_ int, took time.Duration) { m.group.Observe(took.Seconds()) }

// seen counts one request.
func (m *meter) seen(s server.Seen) {
	m.requests.WithLabelValues(s.Method, s.Route, strconv.Itoa(s.Status)).Inc()
	m.durations.WithLabelValues(s.Method, s.Route).Observe(s.Took.Seconds())
}

// serveMetrics serves them and profiles on an address of their own until ctx ends.
func (a *App) serveMetrics(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.meter.registry, promhttp.HandlerOpts{}))
	// Profiles hold no personal data: they name functions and count bytes.
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	srv := server.HTTP(mux, a.log)
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Metrics)
	if err != nil {
		return invalid("metrics: %s cannot be listened on: %v", a.cfg.Metrics, errors.Unwrap(err))
	}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}
