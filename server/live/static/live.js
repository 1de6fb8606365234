// The page asks once a second what stands and draws it anew. Everything is set as
// text: letters are hostile input.
const el = (name, attrs = {}, ...children) => {
  const e = document.createElement(name)
  for (const [k, v] of Object.entries(attrs)) if (v) e.setAttribute(k, v)
  e.append(...children)
  return e
}
const svg = (name, attrs = {}, text) => {
  const e = document.createElementNS('http://www.w3.org/2000/svg', name)
  for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v)
  if (text) e.textContent = text
  return e
}
const byId = (id) => document.getElementById(id)
const number = new Intl.NumberFormat('en')
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const count = (n, one, many) => `${number.format(n)} ${n === 1 ? one : many}`
const levels = { 'level-2': 'level 2 proposed', 'level-1': 'level 1 proposed', individual: 'class I proposed', information: 'information' }
const routes = { 'confirm-authority': 'confirm the authority first', vulnerable: 'to a trained person' }
const short = (id) => '…' + id.slice(-6)

let seen = new Set()
let memberSince = new Map() // `${ring} ${complaint}` → when it was first seen
let first = true

function arrivals(list) {
  const items = list.map((a) => {
    const accuses = a.level && a.level !== 'information'
    const li = el('li', { class: [accuses ? 'tied' : '', !first && !seen.has(a.id) ? 'fresh' : ''].filter(Boolean).join(' ') })
    const meta = el('div', { class: 'meta' }, el('span', {}, a.id), el('span', {}, clock.format(new Date(a.stored))), el('span', {}, a.channel))
    if (accuses) meta.append(el('span', { class: 'level' }, levels[a.level]))
    if (a.route) meta.append(el('span', {}, routes[a.route] ?? a.route))
    li.append(meta, el('p', { class: 'letter' }, a.excerpt))
    if (a.why?.length) li.append(el('p', { class: 'meta' }, a.why.join('; ')))
    else li.append(el('p', { class: 'meta' }, `compared with ${number.format(a.compared)}: shares nothing`))
    return li
  })
  for (const a of list) seen.add(a.id)
  byId('arrived').replaceChildren(...items)
}

function picture(r, now) {
  const w = 640, h = 380, cx = w / 2, cy = h / 2
  const root = svg('svg', { viewBox: `0 0 ${w} ${h}`, role: 'img', 'aria-label': `${r.members.length} complaints and the ${r.shared.length} things they share` })
  const things = r.shared.map((t, i) => {
    const a = (2 * Math.PI * i) / r.shared.length - Math.PI / 2
    const d = r.shared.length === 1 ? 0 : 1
    return { ...t, x: cx + d * 130 * Math.cos(a), y: cy + d * 75 * Math.sin(a) }
  })
  // Members stand in the order of the things they share, so that lines cross little.
  const angle = (m) => {
    const mine = things.filter((t) => t.members.includes(m))
    if (mine.length === 0) return 0
    return Math.atan2(mine.reduce((s, t) => s + t.y - cy, 0), mine.reduce((s, t) => s + t.x - cx, 0))
  }
  const order = [...r.members].sort((a, b) => angle(a) - angle(b) || (a < b ? -1 : 1))
  const from = order.length ? angle(order[0]) : 0
  const at = new Map(order.map((m, i) => {
    const a = from + (2 * Math.PI * i) / order.length
    return [m, { x: cx + 255 * Math.cos(a), y: cy + 150 * Math.sin(a) }]
  }))
  for (const t of things) for (const m of t.members) if (at.has(m)) root.append(svg('line', { x1: t.x, y1: t.y, x2: at.get(m).x, y2: at.get(m).y }))
  for (const t of things) {
    root.append(svg('rect', { class: 'thing', x: t.x - 34, y: t.y - 13, width: 68, height: 26, rx: 4 }))
    root.append(svg('text', { class: 'thing-label', x: t.x, y: t.y + 4 }, t.label))
  }
  for (const [m, p] of at) {
    const recent = now - (memberSince.get(`${r.id} ${m}`) ?? 0) < 20_000
    root.append(svg('circle', { class: recent ? 'member new' : 'member', cx: p.x, cy: p.y, r: 7 }))
    const label = svg('text', { x: p.x + (p.x < cx ? -11 : 11), y: p.y + 4, 'text-anchor': p.x < cx ? 'end' : 'start' }, m.replace(/^.*-/, ''))
    root.append(label)
  }
  return root
}

function ring(r, now) {
  if (!r) return
  const what = el('p', {}, `${count(r.members.length, 'complaint', 'complaints')} by ${count(r.customers, 'customer', 'customers')}`)
  if (r.level) what.append(' · ', el('span', { class: 'level' }, levels[r.level] ?? r.level))
  const why = el('ul', {}, ...r.why.slice(-6).map((s) => el('li', {}, s)))
  const box = [what, picture(r, now), el('h2', {}, 'Why they are linked'), why]
  if (r.innocent?.length) box.push(el('h2', {}, 'Innocent explanations to test first'), el('ul', {}, ...r.innocent.slice(0, 5).map((s) => el('li', {}, s))))
  byId('ring').replaceChildren(...box)
}

const happened = {
  'ring.formed': 'formed', 'ring.grown': 'grew', 'ring.shrunk': 'shrank', 'ring.merged': 'became part of another', 'ring.split': 'split off another',
  'ring.dissolved': 'is no longer found', 'ring.level': 'has another level proposed', 'ring.confirmed': 'was confirmed', 'ring.cleared': 'was cleared', 'ring.reopened': 'was opened again',
}

function happenings(list) {
  byId('events').replaceChildren(...list.map((e) => el('li', {},
    el('div', { class: 'meta' }, el('span', {}, clock.format(new Date(e.at))), el('span', {}, `ring ${short(e.ring)}`)),
    `${happened[e.type] ?? e.type}${e.count ? `: ${count(e.count, 'complaint', 'complaints')}` : ''}`)))
}

function table(list) {
  byId('all').replaceChildren(...list.map((r) => {
    const kinds = new Map()
    for (const t of r.shared) kinds.set(t.kind, (kinds.get(t.kind) ?? 0) + 1)
    return el('tr', {}, el('td', {}, short(r.id)), el('td', {}, number.format(r.members.length)),
      el('td', {}, [...kinds].map(([k, n]) => `${n} ${k}`).join(', ')), el('td', {}, levels[r.level] ?? '–'))
  }))
}

async function draw() {
  const res = await fetch('live/state', { cache: 'no-store' })
  if (!res.ok) throw new Error(`the program answered ${res.status}`)
  const s = await res.json()
  const now = Date.parse(s.now)
  for (const r of s.rings) for (const m of r.members) {
    const k = `${r.id} ${m}`
    if (!memberSince.has(k)) memberSince.set(k, first ? 0 : now)
  }
  byId('complaints').textContent = number.format(s.complaints)
  byId('rings').textContent = number.format(s.rings.length)
  byId('tags').textContent = number.format(s.tags) + (s.more_tags ? '+' : '')
  byId('entries').textContent = number.format(s.entries)
  arrivals(s.arrived)
  ring(s.rings[0], now)
  happenings(s.events)
  table(s.rings)
  first = false
}

for (;;) {
  try {
    await draw()
    byId('problem').hidden = true
  } catch (err) {
    byId('problem').textContent = `The program cannot be reached (${err.message}). Trying again.`
    byId('problem').hidden = false
  }
  await new Promise((r) => setTimeout(r, 1000))
}
