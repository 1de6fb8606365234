package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"bonafide"
	"bonafide/server"
)

// A caller is who sent a request.
type caller struct {
	tenant bonafide.Tenant
	actor  bonafide.Actor
	key    string // its id
}

// A handler answers one route.
type handler func(a *api, w http.ResponseWriter, r *http.Request, who caller) error

// A route is one line of the table of everything that can be asked.
type route struct {
	method, path string
	scope        bonafide.Scope // needed; "" where any key will do
	open         bool           // no key is needed
	query        []string       // the parameters it has; others are refused
	body         server.Media   // of the request; "" for none
	do           handler
}

// routes are all routes, in the order of openapi.yaml.
var routes = []route{
	{method: "POST", path: "/complaints", scope: bonafide.ScopeComplaintsWrite, body: server.JSON, do: (*api).addComplaint},
	{method: "POST", path: "/complaints/bulk", scope: bonafide.ScopeComplaintsWrite, query: []string{"after"}, body: server.NDJSON, do: (*api).addComplaints},
	{method: "GET", path: "/complaints", scope: bonafide.ScopeComplaintsRead, query: pages, do: (*api).listComplaints},
	{method: "GET", path: "/complaints/{id}", scope: bonafide.ScopeComplaintsRead, query: []string{"include"}, do: (*api).oneComplaint},

	{method: "POST", path: "/customers", scope: bonafide.ScopeRecordsWrite, body: server.JSON, do: customers.add},
	{method: "POST", path: "/customers/bulk", scope: bonafide.ScopeRecordsWrite, query: []string{"after"}, body: server.NDJSON, do: customers.addBulk},
	{method: "POST", path: "/customers/find", scope: bonafide.ScopeRecordsRead, body: server.JSON, do: (*api).findCustomer},
	{method: "POST", path: "/customers/erase", scope: bonafide.ScopeErase, body: server.JSON, do: (*api).erase},
	{method: "GET", path: "/customers/{id}", scope: bonafide.ScopeRecordsRead, query: []string{"include"}, do: customers.one},
	{method: "POST", path: "/contracts", scope: bonafide.ScopeRecordsWrite, body: server.JSON, do: contracts.add},
	{method: "POST", path: "/contracts/bulk", scope: bonafide.ScopeRecordsWrite, query: []string{"after"}, body: server.NDJSON, do: contracts.addBulk},
	{method: "GET", path: "/contracts/{id}", scope: bonafide.ScopeRecordsRead, query: []string{"include"}, do: contracts.one},
	{method: "POST", path: "/calls", scope: bonafide.ScopeRecordsWrite, body: server.JSON, do: calls.add},
	{method: "POST", path: "/calls/bulk", scope: bonafide.ScopeRecordsWrite, query: []string{"after"}, body: server.NDJSON, do: calls.addBulk},
	{method: "GET", path: "/calls/{id}", scope: bonafide.ScopeRecordsRead, query: []string{"include"}, do: calls.one},
	{method: "POST", path: "/representatives", scope: bonafide.ScopeRecordsWrite, body: server.JSON, do: representatives.add},
	{method: "POST", path: "/representatives/bulk", scope: bonafide.ScopeRecordsWrite, query: []string{"after"}, body: server.NDJSON, do: representatives.addBulk},
	{method: "GET", path: "/representatives/{id}", scope: bonafide.ScopeRecordsRead, query: []string{"include"}, do: representatives.one},

	{method: "POST", path: "/third-parties", scope: bonafide.ScopeRecordsWrite, body: server.JSON, do: thirdParties.add},
	{method: "POST", path: "/third-parties/bulk", scope: bonafide.ScopeRecordsWrite, query: []string{"after"}, body: server.NDJSON, do: thirdParties.addBulk},
	{method: "GET", path: "/third-parties/{id}", scope: bonafide.ScopeRecordsRead, query: []string{"include"}, do: thirdParties.one},
	{method: "POST", path: "/objections", scope: bonafide.ScopeRecordsWrite, body: server.JSON, do: objections.add},
	{method: "POST", path: "/objections/bulk", scope: bonafide.ScopeRecordsWrite, query: []string{"after"}, body: server.NDJSON, do: objections.addBulk},
	{method: "GET", path: "/objections/{id}", scope: bonafide.ScopeRecordsRead, query: []string{"include"}, do: objections.one},
	{method: "POST", path: "/failures", scope: bonafide.ScopeRecordsWrite, body: server.JSON, do: failures.add},
	{method: "POST", path: "/failures/bulk", scope: bonafide.ScopeRecordsWrite, query: []string{"after"}, body: server.NDJSON, do: failures.addBulk},
	{method: "GET", path: "/failures/{id}", scope: bonafide.ScopeRecordsRead, query: []string{"include"}, do: failures.one},

	{method: "GET", path: "/complaints/{id}/merit", scope: bonafide.ScopeComplaintsRead, do: (*api).merit},
	{method: "GET", path: "/incidents", scope: bonafide.ScopeComplaintsRead, do: (*api).listIncidents},
	{method: "GET", path: "/scripts", scope: bonafide.ScopeContactsRead, do: (*api).listScripts},
	{method: "POST", path: "/contacts/handover", scope: bonafide.ScopeContactsWrite, body: server.JSON, do: (*api).handover},
	{method: "GET", path: "/contacts/{id}", scope: bonafide.ScopeContactsRead, do: (*api).oneContact},

	{method: "GET", path: "/rings", scope: bonafide.ScopeRingsRead, query: append([]string{"state"}, pages...), do: (*api).listRings},
	{method: "GET", path: "/rings/{id}", scope: bonafide.ScopeRingsRead, do: (*api).oneRing},
	{method: "GET", path: "/rings/{id}/history", scope: bonafide.ScopeRingsRead, do: (*api).ringHistory},
	{method: "POST", path: "/rings/{id}/confirm", scope: bonafide.ScopeRingsDecide, body: server.JSON, do: decide(bonafide.Confirm)},
	{method: "POST", path: "/rings/{id}/clear", scope: bonafide.ScopeRingsDecide, body: server.JSON, do: decide(bonafide.Clear)},
	{method: "POST", path: "/rings/{id}/reopen", scope: bonafide.ScopeRingsDecide, body: server.JSON, do: decide(bonafide.Reopen)},
	{method: "GET", path: "/links/apart", scope: bonafide.ScopeRingsRead, do: (*api).listApart},
	{method: "POST", path: "/links/apart", scope: bonafide.ScopeRingsDecide, body: server.JSON, do: (*api).apart},
	{method: "POST", path: "/links/apart/remove", scope: bonafide.ScopeRingsDecide, body: server.JSON, do: (*api).together},
	{method: "GET", path: "/templates", scope: bonafide.ScopeRingsRead, query: pages, do: (*api).listTemplates},
	{method: "GET", path: "/templates/{id}", scope: bonafide.ScopeRingsRead, query: []string{"include"}, do: (*api).oneTemplate},

	{method: "POST", path: "/tags/lookup", scope: bonafide.ScopeTagsLookup, body: server.JSON, do: (*api).lookup},
	{method: "GET", path: "/tags", scope: bonafide.ScopeTagsRead, query: append([]string{"kind", "target", "ring", "state"}, pages...), do: (*api).listTags},
	{method: "POST", path: "/tags", scope: bonafide.ScopeTagsWrite, body: server.JSON, do: (*api).addTag},
	{method: "GET", path: "/tags/{id}", scope: bonafide.ScopeTagsRead, do: (*api).oneTag},
	{method: "POST", path: "/tags/{id}/renew", scope: bonafide.ScopeTagsWrite, body: server.JSON, do: (*api).renewTag},
	{method: "POST", path: "/tags/{id}/remove", scope: bonafide.ScopeTagsWrite, body: server.JSON, do: (*api).removeTag},

	{method: "GET", path: "/events", scope: bonafide.ScopeRingsRead, query: pages, do: (*api).listEvents},
	{method: "GET", path: "/webhooks", scope: bonafide.ScopeWebhooks, do: (*api).listWebhooks},
	{method: "POST", path: "/webhooks", scope: bonafide.ScopeWebhooks, body: server.JSON, do: (*api).addWebhook},
	{method: "DELETE", path: "/webhooks/{id}", scope: bonafide.ScopeWebhooks, do: (*api).removeWebhook},
	{method: "GET", path: "/webhooks/{id}/deliveries", scope: bonafide.ScopeWebhooks, query: append([]string{"state"}, pages...), do: (*api).listDeliveries},
	{method: "POST", path: "/webhooks/{id}/deliveries/{delivery}/retry", scope: bonafide.ScopeWebhooks, body: server.JSON, do: (*api).retryDelivery},

	{method: "GET", path: "/keys", scope: bonafide.ScopeAdmin, do: (*api).listKeys},
	{method: "POST", path: "/keys", scope: bonafide.ScopeAdmin, body: server.JSON, do: (*api).addKey},
	{method: "POST", path: "/keys/{id}/rotate", scope: bonafide.ScopeAdmin, body: server.JSON, do: (*api).rotateKey},
	{method: "POST", path: "/keys/{id}/revoke", scope: bonafide.ScopeAdmin, body: server.JSON, do: (*api).revokeKey},

	{method: "GET", path: "/log/checkpoint", scope: bonafide.ScopeLogRead, do: (*api).checkpoint},
	{method: "GET", path: "/log/entries", scope: bonafide.ScopeLogRead, query: pages, do: (*api).listEntries},
	{method: "GET", path: "/log/entries/{n}/proof", scope: bonafide.ScopeLogRead, query: []string{"size"}, do: (*api).prove},

	{method: "GET", path: "/status", do: (*api).status},
	{method: "GET", path: "/openapi.yaml", open: true, do: (*api).contract},
}

// pages are the parameters of a list.
var pages = []string{"after", "limit"}

// admit lets a request in: who it is by, whether the key may do it and how often,
// and whether the address is one that could exist.
func (a *api) admit(r *http.Request, rt route) (caller, error) {
	var who caller
	if !rt.open {
		k, err := a.authenticate(r)
		if err != nil {
			return caller{}, err
		}
		who = caller{tenant: k.Tenant, actor: bonafide.Actor{ID: "key:" + k.ID, Name: k.Name, Scopes: k.Scopes}, key: k.ID}
		if err := a.throttle(k); err != nil {
			return caller{}, err
		}
		if rt.scope != "" && !who.actor.May(rt.scope) {
			return caller{}, &bonafide.Error{Kind: bonafide.Denied, Msg: "the key lacks the scope " + string(rt.scope)}
		}
	}
	for _, name := range [...]string{"id", "delivery", "n"} {
		if strings.Contains(rt.path, "{"+name+"}") && !bonafide.ValidID(r.PathValue(name)) {
			return caller{}, &bonafide.Error{Kind: bonafide.NotFound, Msg: "no such thing: what stands in the address is no id"}
		}
	}
	return who, known(r, rt.query)
}

// known refuses parameters that the route does not have, so that a spelling mistake
// does not pass for a filter.
func known(r *http.Request, names []string) error {
	if len(r.URL.RawQuery) > 4096 {
		return &server.Refusal{Status: http.StatusBadRequest, Detail: "the part of the address behind the question mark is too long"}
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &server.Refusal{Status: http.StatusBadRequest, Detail: "the part of the address behind the question mark cannot be read"}
	}
	for name, values := range q {
		if !slices.Contains(names, name) {
			has := "none"
			if len(names) > 0 {
				has = strings.Join(names, ", ")
			}
			return &server.Refusal{Status: http.StatusBadRequest, Detail: "a parameter that this address does not have; it has " + has}
		}
		if len(values) > 1 {
			return &server.Refusal{Status: http.StatusBadRequest, Field: name, Detail: name + ": given more than once"}
		}
		if values[0] != "" && !bonafide.ValidID(values[0]) {
			return &server.Refusal{Status: http.StatusBadRequest, Field: name, Detail: name + ": not 1 to 128 characters of UTF-8 without control characters"}
		}
	}
	return nil
}
