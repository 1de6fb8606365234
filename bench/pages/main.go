// Command pages measures how long the pages of a running console take and how large
// they are. It signs in as a person, asks for each page in turn, many times, and prints
// the median and the 95th percentile of the time from request to last byte, on an open
// connection.
//
//	go run ./bench/pages --url http://127.0.0.1:8484 --login NAME --key KEY < password
//
// The key needs rings:read and complaints:read: it finds what the pages are about.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	at := flag.String("url", "http://127.0.0.1:8484", "address of the console")
	login := flag.String("login", "", "who signs in")
	key := flag.String("key", os.Getenv("BONAFIDE_KEY"), "API key (BONAFIDE_KEY)")
	n := flag.Int("n", 40, "times that each page is asked for")
	word := flag.String("word", "statement", "word that letters are searched for")
	phone := flag.String("phone", "+447700900123", "phone that is searched for")
	passage := flag.String("passage", "the calls went on after we had asked them to write instead", "passage that is searched for")
	flag.Parse()
	if err := run(*at, *login, *key, *n, *word, *phone, *passage); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

// A client asks as one person.
type client struct {
	http.Client
	base string
}

func run(base, login, key string, n int, word, phone, passage string) error {
	password, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	c := &client{http.Client{Jar: jar, Timeout: time.Minute}, base}
	if _, _, err := c.ask("POST", "/sign-in", url.Values{"login": {login}, "password": {strings.TrimSpace(password)}}); err != nil {
		return fmt.Errorf("sign in: %w", err)
	}
	ids, err := c.find(key)
	if err != nil {
		return err
	}
	pages := []struct {
		name, method, path string
		form               url.Values
	}{
		{"Inbox, mine", "GET", "/inbox?view=mine", nil},
		{"Inbox, unassigned", "GET", "/inbox?view=unassigned", nil},
		{"Inbox, due soonest", "GET", "/inbox?view=due", nil},
		{"Inbox, all", "GET", "/inbox?view=all", nil},
		{"Inbox, one channel", "GET", "/inbox?view=all&channel=branch", nil},
		{"Complaint", "GET", "/complaints/" + ids["complaint"], nil},
		{"Complaint, of a ring", "GET", "/complaints/" + ids["member"], nil},
		{"Compare, two letters", "GET", "/compare?with=" + ids["member"] + "&with=" + ids["other"], nil},
		{"Rings", "GET", "/rings", nil},
		{"Ring, the largest of a hundred", "GET", "/rings/" + ids["ring"], nil},
		{"Templates", "GET", "/templates", nil},
		{"Template, the most used", "GET", "/templates/" + ids["template"], nil},
		{"Search by id", "POST", "/search", url.Values{"q": {ids["complaint"]}}},
		{"Search by phone", "POST", "/search", url.Values{"q": {phone}, "kind": {"phone"}}},
		{"Search by passage", "POST", "/search", url.Values{"q": {passage}, "kind": {"passage"}}},
		{"Search by word", "POST", "/search", url.Values{"q": {word}, "kind": {"words"}}},
		{"Search by level", "POST", "/search", url.Values{"level": {"level-2"}}},
		{"Search by date", "POST", "/search", url.Values{"from": {"2020-01-01"}}},
		{"Appeals", "GET", "/appeals", nil},
		{"Dashboard", "GET", "/dashboard", nil},
		{"Policy", "GET", "/policy", nil},
		{"Quarantine", "GET", "/quarantine", nil},
		{"Import", "GET", "/import", nil},
		{"Administration", "GET", "/admin", nil},
		{"Log", "GET", "/log", nil},
		{"Help", "GET", "/help", nil},
	}
	fmt.Printf("| page | p50 ms | p95 ms | kB |\n|---|---:|---:|---:|\n")
	for _, p := range pages {
		var took []time.Duration
		size := 0
		for range n {
			t, b, err := c.ask(p.method, p.path, p.form)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			took, size = append(took, t), max(size, b)
		}
		slices.Sort(took)
		ms := func(q float64) float64 { return float64(took[int(q*float64(len(took)-1))].Microseconds()) / 1000 }
		fmt.Printf("| %s | %.1f | %.1f | %.0f |\n", p.name, ms(0.5), ms(0.95), float64(size)/1000)
	}
	return nil
}

// ask asks for a page and returns how long it took and how large it is. What a form
// leads to is part of it.
func (c *client) ask(method, path string, form url.Values) (time.Duration, int, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		return 0, 0, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	start := time.Now()
	resp, err := c.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	b, err := io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return time.Since(start), int(b), err
}

// find asks the API what the pages can be about.
func (c *client) find(key string) (map[string]string, error) {
	var rings struct {
		Items []struct {
			ID   string `json:"id"`
			Size int    `json:"size"`
		} `json:"items"`
	}
	var ring struct {
		Ring struct {
			Members []string `json:"members"`
		} `json:"ring"`
	}
	var templates struct {
		Items []struct {
			ID   string `json:"id"`
			Size int    `json:"size"`
		} `json:"items"`
	}
	var complaints struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := c.api(key, "/v1/rings?state=proposed&limit=100", &rings); err != nil {
		return nil, err
	}
	if err := c.api(key, "/v1/templates?limit=100", &templates); err != nil {
		return nil, err
	}
	if err := c.api(key, "/v1/complaints?limit=10&after=1000", &complaints); err != nil {
		return nil, err
	}
	if len(rings.Items) == 0 || len(templates.Items) == 0 || len(complaints.Items) == 0 {
		return nil, errors.New("there is no ring, template or complaint to look at yet")
	}
	large := rings.Items[0]
	for _, r := range rings.Items {
		if r.Size > large.Size {
			large = r
		}
	}
	used := templates.Items[0]
	for _, t := range templates.Items {
		if t.Size > used.Size {
			used = t
		}
	}
	if err := c.api(key, "/v1/rings/"+large.ID, &ring); err != nil {
		return nil, err
	}
	return map[string]string{
		"ring": large.ID, "member": ring.Ring.Members[0], "other": ring.Ring.Members[1], "template": used.ID, "complaint": complaints.Items[0].ID,
	}, nil
}

func (c *client) api(key, path string, to any) error {
	r, err := http.NewRequest(http.MethodGet, c.base+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(to)
}
