// Checks a pack of sealed evidence; see docs/pack.md. It runs in a page and in Node, and
// it finds what the verifier in Go finds: same codes, same files. It uses the browser's
// cryptography only for time-stamps and, where that is faster, for SHA-256.
//
//   BonafidePack.verify(source, options) → report
//   source: { size, read(offset, length) } for a zip,
//           { files: [{ path, size, read }] } for an unpacked folder
//   options: { key, roots, subtle, progress(done, total) }
const BonafidePack = (() => {
  "use strict";

  // ---- bytes and texts ----

  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const encoder = new TextEncoder();
  const encode = (s) => encoder.encode(s);
  const decode = (b) => { try { return utf8.decode(b); } catch { return null; } };
  const hex = (b) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
  const unhex = (s) => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));
  const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
  const binary = (b) => { let s = ""; for (const x of b) s += String.fromCharCode(x); return s; };
  const unbinary = (s) => Uint8Array.from(s, (c) => c.charCodeAt(0));
  const concat = (...parts) => {
    const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const p of parts) { out.set(p, at); at += p.length; }
    return out;
  };
  const base64 = (s) => {
    if (s.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(s)) return null;
    try { return unbinary(atob(s)); } catch { return null; }
  };
  // Order of the bytes of UTF-8, which is that of code points and not of UTF-16.
  const order = (a, b) => {
    const n = Math.min(a.length, b.length);
    for (let i = 0; i < n; i++) {
      let x = a.charCodeAt(i), y = b.charCodeAt(i);
      if (x === y) continue;
      if (x >= 0xd800 && y >= 0xd800) { // surrogates stand behind everything else
        x = x >= 0xe000 ? x - 0x800 : x + 0x2000;
        y = y >= 0xe000 ? y - 0x800 : y + 0x2000;
      }
      return x - y;
    }
    return a.length - b.length;
  };

  const hidden = (r) => r < 0x20 || (r >= 0x7f && r < 0xa0) || r === 0xad || r === 0x61c
    || (r >= 0x200b && r <= 0x200f) || (r >= 0x2028 && r <= 0x202e) || (r >= 0x2060 && r <= 0x206f)
    || r === 0xfeff || (r >= 0xfff0 && r <= 0xfffd) || (r >= 0xe0000 && r <= 0xe0fff);
  const show = (s) => {
    const rs = Array.from(s, (c) => (hidden(c.codePointAt(0)) ? "?" : c));
    return rs.length > 400 ? `${rs.slice(0, 400).join("")}…` : rs.join("");
  };
  const showBinary = (s) => show(decode(unbinary(s)) ?? s.replace(/[\x80-\xff]/g, "?"));

  const reserved = new Set("con prn aux nul conin$ conout$ com0 com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt0 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9".split(" "));
  const wellFormed = (s) => !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(s);
  const safePath = (p) => {
    if (p === "" || !wellFormed(p) || encode(p).length > 400 || p.normalize("NFC") !== p) return false;
    for (const c of p) if (hidden(c.codePointAt(0)) || '\\:*?"<>|%'.includes(c)) return false;
    return p.split("/").every((s) => s !== "" && encode(s).length <= 200 && s[0] !== " " && !/[ .]$/.test(s)
      && !reserved.has(s.split(".")[0].replace(/ +$/, "").replace(/[A-Z]/g, (c) => c.toLowerCase())));
  };
  const one = (c, to) => ([...to].length === 1 ? to : c);
  const fold = (s) => Array.from(s.normalize("NFC"), (c) => { const u = one(c, c.toUpperCase()); return one(u, u.toLowerCase()); }).join("");
  const validID = (s) => typeof s === "string" && s !== "" && wellFormed(s) && encode(s).length <= 200 && !/[\x00-\x20\x7f]/.test(s);
  const whole = (n) => Number.isSafeInteger(n) && n >= 0 && !Object.is(n, -0);

  // ---- JSON as Go writes it ----

  const quote = (s) => JSON.stringify(s).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const parse = (text) => { try { return JSON.parse(text); } catch { return undefined; } };
  const isObject = (v) => typeof v === "object" && v !== null && !Array.isArray(v);
  const own = (o, k) => (Object.hasOwn(o, k) ? o[k] : undefined);

  // ---- CRC-32, SHA-256, SM3, SHA-512 ----

  const crcTables = (() => {
    const t = Array.from({ length: 8 }, () => new Int32Array(256));
    for (let i = 0; i < 256; i++) {
      let c = i;
      for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
      t[0][i] = c;
    }
    for (let i = 0; i < 256; i++) for (let k = 1; k < 8; k++) t[k][i] = (t[k - 1][i] >>> 8) ^ t[0][t[k - 1][i] & 255];
    return t;
  })();
  const crc32 = (b, crc = 0) => {
    const [t0, t1, t2, t3, t4, t5, t6, t7] = crcTables;
    let c = ~crc, i = 0;
    for (; i + 8 <= b.length; i += 8) {
      c ^= b[i] | (b[i + 1] << 8) | (b[i + 2] << 16) | (b[i + 3] << 24);
      c = t7[c & 255] ^ t6[(c >>> 8) & 255] ^ t5[(c >>> 16) & 255] ^ t4[c >>> 24]
        ^ t3[b[i + 4]] ^ t2[b[i + 5]] ^ t1[b[i + 6]] ^ t0[b[i + 7]];
    }
    for (; i < b.length; i++) c = (c >>> 8) ^ t0[(c ^ b[i]) & 255];
    return ~c >>> 0;
  };

  // Hash is what SHA-256 and SM3 share: blocks of 64 bytes, eight words, the length behind.
  class Hash {
    constructor(start) { this.h = Int32Array.from(start); this.buf = new Uint8Array(64); this.n = 0; this.total = 0; }
    update(b) {
      this.total += b.length;
      let i = 0;
      if (this.n > 0) {
        i = Math.min(64 - this.n, b.length);
        this.buf.set(b.subarray(0, i), this.n);
        this.n += i;
        if (this.n < 64) return this;
        this.block(this.buf, 0, 1);
        this.n = 0;
      }
      const blocks = (b.length - i) >>> 6;
      if (blocks > 0) this.block(b, i, blocks);
      const rest = b.subarray(i + blocks * 64);
      this.buf.set(rest);
      this.n = rest.length;
      return this;
    }
    digest() {
      const bits = this.total * 8, high = Math.floor(this.total / 0x20000000);
      const pad = new Uint8Array(this.n < 56 ? 64 - this.n : 128 - this.n);
      pad[0] = 0x80;
      const v = new DataView(pad.buffer);
      v.setUint32(pad.length - 8, high);
      v.setUint32(pad.length - 4, bits % 0x100000000);
      this.update(pad);
      const out = new Uint8Array(32), w = new DataView(out.buffer);
      for (let k = 0; k < 8; k++) w.setInt32(k * 4, this.h[k]);
      return out;
    }
  }

  const frac = (root, bits) => { // the first bits behind the point of the first primes' roots
    const out = [];
    for (let p = 2n; out.length < 80; p++) {
      let prime = true;
      for (let d = 2n; d * d <= p; d++) if (p % d === 0n) { prime = false; break; }
      if (!prime) continue;
      const scaled = p << (BigInt(root) * bits);
      let low = 0n, up = 1n << (bits + 8n);
      while (up - low > 1n) { const m = (low + up) >> 1n; if (m ** BigInt(root) <= scaled) low = m; else up = m; }
      out.push(BigInt.asUintN(Number(bits), low));
    }
    return out;
  };
  const cubes = frac(3, 64n), squares = frac(2, 64n);
  const K256 = Int32Array.from(cubes.slice(0, 64), (x) => Number(x >> 32n) | 0);
  const H256 = Int32Array.from(squares.slice(0, 8), (x) => Number(x >> 32n) | 0);

  const W = new Int32Array(68);
  class SHA256 extends Hash {
    constructor() { super(H256); }
    block(p, i, blocks) {
      const h = this.h;
      let [a0, b0, c0, d0, e0, f0, g0, h0] = h;
      for (; blocks > 0; blocks--, i += 64) {
        for (let t = 0, j = i; t < 16; t++, j += 4) W[t] = (p[j] << 24) | (p[j + 1] << 16) | (p[j + 2] << 8) | p[j + 3];
        for (let t = 16; t < 64; t++) {
          const x = W[t - 15], y = W[t - 2];
          W[t] = (W[t - 16] + W[t - 7] + (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3))
            + (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10))) | 0;
        }
        let a = a0, b = b0, c = c0, d = d0, e = e0, f = f0, g = g0, k = h0;
        for (let t = 0; t < 64; t++) {
          const s1 = (k + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + (g ^ (e & (f ^ g))) + K256[t] + W[t]) | 0;
          const s2 = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & b) | (c & (a | b)))) | 0;
          k = g; g = f; f = e; e = (d + s1) | 0; d = c; c = b; b = a; a = (s1 + s2) | 0;
        }
        a0 = (a0 + a) | 0; b0 = (b0 + b) | 0; c0 = (c0 + c) | 0; d0 = (d0 + d) | 0;
        e0 = (e0 + e) | 0; f0 = (f0 + f) | 0; g0 = (g0 + g) | 0; h0 = (h0 + k) | 0;
      }
      h[0] = a0; h[1] = b0; h[2] = c0; h[3] = d0; h[4] = e0; h[5] = f0; h[6] = g0; h[7] = h0;
    }
  }
  const sha256 = (...parts) => { const h = new SHA256(); for (const p of parts) h.update(p); return h.digest(); };

  const T3 = Int32Array.from({ length: 64 }, (_, j) => { const t = j < 16 ? 0x79cc4519 : 0x7a879d8a, r = j % 32; return r ? (t << r) | (t >>> (32 - r)) : t; });
  class SM3 extends Hash {
    constructor() { super([0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e]); }
    block(p, i, blocks) {
      const v = this.h;
      for (; blocks > 0; blocks--, i += 64) {
        for (let t = 0, j = i; t < 16; t++, j += 4) W[t] = (p[j] << 24) | (p[j + 1] << 16) | (p[j + 2] << 8) | p[j + 3];
        for (let t = 16; t < 68; t++) {
          const q = W[t - 3], r = W[t - 13];
          const x = W[t - 16] ^ W[t - 9] ^ ((q << 15) | (q >>> 17));
          W[t] = x ^ ((x << 15) | (x >>> 17)) ^ ((x << 23) | (x >>> 9)) ^ ((r << 7) | (r >>> 25)) ^ W[t - 6];
        }
        let a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];
        for (let t = 0; t < 64; t++) {
          const a12 = (a << 12) | (a >>> 20);
          const s = (a12 + e + T3[t]) | 0;
          const s1 = (s << 7) | (s >>> 25), s2 = s1 ^ a12;
          const ff = t < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
          const gg = t < 16 ? e ^ f ^ g : (e & f) | (~e & g);
          const t1 = (ff + d + s2 + (W[t] ^ W[t + 4])) | 0, t2 = (gg + h + s1 + W[t]) | 0;
          d = c; c = (b << 9) | (b >>> 23); b = a; a = t1;
          h = g; g = (f << 19) | (f >>> 13); f = e; e = t2 ^ ((t2 << 9) | (t2 >>> 23)) ^ ((t2 << 17) | (t2 >>> 15));
        }
        v[0] ^= a; v[1] ^= b; v[2] ^= c; v[3] ^= d; v[4] ^= e; v[5] ^= f; v[6] ^= g; v[7] ^= h;
      }
    }
  }

  const word = (x) => BigInt.asUintN(64, x);
  const sha512 = (b) => {
    const rot = (x, n) => (x >> n) | word(x << (64n - n));
    const h = squares.slice(0, 8);
    const padded = new Uint8Array(Math.ceil((b.length + 17) / 128) * 128);
    padded.set(b);
    padded[b.length] = 0x80;
    const v = new DataView(padded.buffer);
    v.setBigUint64(padded.length - 8, BigInt(b.length) * 8n);
    for (let i = 0; i < padded.length; i += 128) {
      const w = [];
      for (let t = 0; t < 16; t++) w.push(v.getBigUint64(i + t * 8));
      for (let t = 16; t < 80; t++) {
        const x = w[t - 15], y = w[t - 2];
        w.push(word(w[t - 16] + w[t - 7] + (rot(x, 1n) ^ rot(x, 8n) ^ (x >> 7n)) + (rot(y, 19n) ^ rot(y, 61n) ^ (y >> 6n))));
      }
      let [a, bb, c, d, e, f, g, k] = h;
      for (let t = 0; t < 80; t++) {
        const s1 = word(k + (rot(e, 14n) ^ rot(e, 18n) ^ rot(e, 41n)) + ((e & f) ^ (word(~e) & g)) + cubes[t] + w[t]);
        const s2 = word((rot(a, 28n) ^ rot(a, 34n) ^ rot(a, 39n)) + ((a & bb) ^ (a & c) ^ (bb & c)));
        k = g; g = f; f = e; e = word(d + s1); d = c; c = bb; bb = a; a = word(s1 + s2);
      }
      [a, bb, c, d, e, f, g, k].forEach((x, j) => { h[j] = word(h[j] + x); });
    }
    const out = new Uint8Array(64), o = new DataView(out.buffer);
    h.forEach((x, j) => o.setBigUint64(j * 8, x));
    return out;
  };

  // ---- Ed25519, RFC 8032 ----

  const P = 2n ** 255n - 19n, L = 2n ** 252n + 27742317777372353535851937790883648493n;
  const mod = (x) => { const r = x % P; return r < 0n ? r + P : r; };
  const pow = (x, e) => { let r = 1n; for (; e > 0n; e >>= 1n, x = mod(x * x)) if (e & 1n) r = mod(r * x); return r; };
  const D = mod(-121665n * pow(121666n, P - 2n)), I = pow(2n, (P - 1n) / 4n);
  const little = (b) => { let n = 0n; for (let i = b.length - 1; i >= 0; i--) n = (n << 8n) | BigInt(b[i]); return n; };
  const addPoints = ([x1, y1, z1, t1], [x2, y2, z2, t2]) => {
    const a = mod((y1 - x1) * (y2 - x2)), b = mod((y1 + x1) * (y2 + x2)), c = mod(2n * t1 * t2 * D), d = mod(2n * z1 * z2);
    const e = b - a, f = d - c, g = d + c, h = b + a;
    return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
  };
  const times = (p, n) => { let r = [0n, 1n, 1n, 0n]; for (; n > 0n; n >>= 1n, p = addPoints(p, p)) if (n & 1n) r = addPoints(r, p); return r; };
  const point = (b) => {
    const n = little(b), sign = n >> 255n, y = mod(n & (2n ** 255n - 1n));
    const u = mod(y * y - 1n), v = mod(D * y * y + 1n);
    let x = mod(u * pow(v, 3n) * pow(mod(u * pow(v, 7n)), (P - 5n) / 8n));
    const vxx = mod(v * x * x);
    if (vxx === mod(-u)) x = mod(x * I);
    else if (vxx !== u) return null;
    if ((x & 1n) !== sign) x = mod(-x);
    return [x, y, 1n, mod(x * y)];
  };
  const base = point(unhex("58" + "66".repeat(31)));
  const ed25519 = (key, text, sig) => {
    if (sig.length !== 64 || key.length !== 32) return false;
    const a = point(key), s = little(sig.subarray(32));
    if (!a || s >= L) return false;
    const k = little(sha512(concat(sig.subarray(0, 32), key, text))) % L;
    const [x, y, z] = addPoints(times(base, s), times([mod(-a[0]), a[1], 1n, mod(-a[3])], k));
    const inv = pow(z, P - 2n), bytes = mod(y * inv) | ((mod(x * inv) & 1n) << 255n);
    return little(sig.subarray(0, 32)) === bytes;
  };

  // ---- signed notes and the Merkle tree ----

  const keyOf = (vkey) => {
    const m = /^([^+\s\p{Cc}]+)\+([0-9a-f]{8})\+(.*)$/su.exec(vkey);
    const key = m && base64(m[3]);
    if (!m || !key || key.length !== 33 || key[0] !== 1) return null;
    if (hex(sha256(encode(`${m[1]}\n`), key).subarray(0, 4)) !== m[2]) return null;
    return { name: m[1], hash: m[2], key: key.subarray(1) };
  };
  const badNote = (text, v) => {
    if (text === null || /[\x00-\x09\x0b-\x1f]/.test(text)) return "checkpoint-note";
    const cut = text.lastIndexOf("\n\n");
    if (cut < 0 || !text.endsWith("\n") || text.length === cut + 2) return "checkpoint-note";
    const signed = encode(text.slice(0, cut + 1));
    let n = 0, good = false;
    for (const line of text.slice(cut + 2, -1).split("\n")) {
      const m = /^— ([^ ]*) (.*)$/su.exec(line);
      const sig = m && base64(m[2]);
      if (!m || !sig || sig.length < 5 || m[1] === "" || /[+\s\p{Cc}]/u.test(m[1]) || ++n > 100) return "checkpoint-note";
      if (m[1] !== v.name || hex(sig.subarray(0, 4)) !== v.hash || good) continue;
      if (!ed25519(v.key, signed, sig.subarray(4))) return "checkpoint-signature";
      good = true;
    }
    return good ? null : "checkpoint-signer";
  };
  const claimed = (text) => {
    const cut = text === null ? -1 : text.lastIndexOf("\n\n");
    const m = cut < 0 ? null : /^go\.sum database tree\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\norigin ([^\n]+)\ntime ([^\n]+)\n$/.exec(text.slice(0, cut + 1));
    if (!m || !whole(Number(m[1])) || !validID(m[3]) || instant(m[4]) === null) return null;
    return { size: Number(m[1]), hash: base64(m[2]), origin: m[3] };
  };
  const leaf = (b) => sha256(Uint8Array.of(0), b);
  const node = (l, r) => sha256(Uint8Array.of(1), l, r);
  const inTree = (tree, id, data, proof) => {
    const side = []; // from the root to the leaf: is the leaf in the right half?
    for (let low = 0, up = tree.size; up - low > 1;) {
      let k = 1;
      while (k * 2 < up - low) k *= 2;
      const right = id >= low + k;
      side.push(right);
      if (right) low += k; else up = low + k;
    }
    if (id >= tree.size || proof.length !== side.length) return false;
    let h = leaf(data);
    for (const p of proof) h = side.pop() ? node(p, h) : node(h, p);
    return same(h, tree.hash);
  };

  // instant reads a time as Go writes it, in microseconds; null where it is none.
  const instant = (s) => {
    const m = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{0,5}[1-9]))?Z$/.exec(s);
    if (!m) return null;
    const ms = Date.parse(`${m[1]}Z`);
    if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== m[1]) return null;
    return ms * 1000 + Number((m[2] ?? "").padEnd(6, "0"));
  };

  // ---- time-stamps: DER, CMS, X.509 ----

  class Refused extends Error { constructor(code = "timestamp-invalid") { super(code); this.code = code; } }
  const must = (ok, code) => { if (!ok) throw new Refused(code); };

  // der reads one element; its parts are read when asked for.
  const der = (b, at = 0, end = b.length) => {
    must(end - at >= 2 && (b[at] & 31) !== 31);
    let n = b[at + 1], start = at + 2;
    if (n & 0x80) {
      const count = n & 0x7f;
      must(count >= 1 && count <= 4 && end - start >= count && b[start] !== 0);
      n = 0;
      for (let i = 0; i < count; i++) n = n * 256 + b[start + i];
      start += count;
      must(n >= 0x80);
    }
    must(n <= end - start);
    return { b, at, start, end: start + n, tag: b[at], bytes: b.subarray(start, start + n), raw: b.subarray(at, start + n) };
  };
  const parts = (e) => { const out = []; for (let at = e.start; at < e.end;) { const p = der(e.b, at, e.end); out.push(p); at = p.end; } return out; };
  const all = (b) => { const e = der(b); must(e.end === b.length); return e; };
  const tagged = (e, tag) => { must(e && e.tag === tag); return e; };
  const oid = (e) => {
    tagged(e, 6);
    must(e.bytes.length > 0 && !(e.bytes.at(-1) & 0x80));
    const out = [];
    let n = 0, fresh = true;
    for (const x of e.bytes) {
      must(!(fresh && x === 0x80));
      n = n * 128 + (x & 0x7f);
      must(n < 2 ** 31);
      fresh = !(x & 0x80);
      if (fresh) { out.push(n); n = 0; }
    }
    const first = Math.min(2, Math.floor(out[0] / 40));
    return [first, out[0] - first * 40, ...out.slice(1)].join(".");
  };
  const integer = (e) => {
    tagged(e, 2);
    const b = e.bytes;
    must(b.length > 0 && !(b.length > 1 && ((b[0] === 0 && !(b[1] & 0x80)) || (b[0] === 0xff && b[1] & 0x80))));
    const n = b.reduce((x, y) => (x << 8n) | BigInt(y), 0n);
    return BigInt.asIntN(b.length * 8, n);
  };
  const algorithm = (e) => { tagged(e, 0x30); const p = parts(e); must(p.length >= 1 && p.length <= 2); return { oid: oid(p[0]), params: p[1] }; };
  const timeOf = (e) => {
    const s = binary(e.bytes);
    let m;
    if (e.tag === 0x17) {
      m = /^(\d\d)(\d{10})Z$/.exec(s);
      must(m);
      m = [null, (Number(m[1]) >= 50 ? "19" : "20") + m[1] + m[2], ""];
    } else {
      tagged(e, 0x18);
      m = /^(\d{14})(?:\.(\d*[1-9]))?Z$/.exec(s);
      must(m);
    }
    const iso = m[1].replace(/^(....)(..)(..)(..)(..)(..)$/, "$1-$2-$3T$4:$5:$6");
    const ms = Date.parse(`${iso}Z`);
    must(!Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 19) === iso);
    return ms + Number(`0.${m[2] || 0}`) * 1000;
  };

  const digests = { "2.16.840.1.101.3.4.2.1": "SHA-256", "2.16.840.1.101.3.4.2.2": "SHA-384", "2.16.840.1.101.3.4.2.3": "SHA-512" };
  const signatures = {
    "1.2.840.113549.1.1.11": ["SHA-256", true], "1.2.840.113549.1.1.12": ["SHA-384", true], "1.2.840.113549.1.1.13": ["SHA-512", true],
    "1.2.840.10045.4.3.2": ["SHA-256", false], "1.2.840.10045.4.3.3": ["SHA-384", false], "1.2.840.10045.4.3.4": ["SHA-512", false],
  };
  const names = { "2.5.4.3": "CN", "2.5.4.5": "SERIALNUMBER", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.17": "POSTALCODE" };
  const critical = new Set(["2.5.29.15", "2.5.29.19", "2.5.29.37", "2.5.29.17", "2.5.29.32"]);

  // distinguished refuses a name whose texts are not of the kind they say.
  const distinguished = (e) => {
    for (const set of parts(tagged(e, 0x30))) {
      for (const p of parts(tagged(set, 0x31))) {
        const [id, v, more] = parts(tagged(p, 0x30));
        oid(id);
        must(v && !more);
        if (v.tag === 0x13) must(/^[A-Za-z0-9 '()+,\-./:=?*&]*$/.test(binary(v.bytes)));
        else if (v.tag === 0x0c) must(decode(v.bytes) !== null);
        else if (v.tag === 0x16) must(v.bytes.every((x) => x < 0x80));
        else if (v.tag === 0x12) must(/^[0-9 ]*$/.test(binary(v.bytes)));
        else must(v.tag === 0x14 || v.tag === 0x1e);
      }
    }
    return e;
  };
  // readable reports whether the key of a certificate is one.
  const readable = async (subtle, c) => {
    if (!c.key || !subtle) return true;
    try {
      await subtle.importKey("spki", c.spki, c.key === "RSA" ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" } : { name: "ECDSA", namedCurve: c.key }, false, ["verify"]);
      return true;
    } catch {
      return false;
    }
  };

  const certificate = (raw) => {
    const top = parts(tagged(all(raw), 0x30));
    must(top.length === 3);
    const f = parts(tagged(top[0], 0x30));
    let i = f[0]?.tag === 0xa0 ? 1 : 0;
    const version = i === 1 ? integer(all(f[0].bytes)) : 0n;
    const c = { raw, tbs: top[0].raw, version, serial: integer(f[i]), issuer: distinguished(f[i + 2]).raw, subject: distinguished(f[i + 4]) };
    must(version >= 0n && version <= 2n);
    const alg = algorithm(top[1]);
    must(same(top[1].raw, f[i + 1]?.raw ?? []));
    c.alg = alg.oid;
    must(tagged(top[2], 3).bytes[0] === 0);
    c.signature = top[2].bytes.subarray(1);
    const [from, to] = parts(tagged(f[i + 3], 0x30)).map(timeOf);
    c.from = from;
    c.to = to;
    const spki = parts(tagged(f[i + 5], 0x30)), kind = algorithm(spki[0]);
    c.spki = f[i + 5].raw;
    if (kind.oid === "1.2.840.113549.1.1.1") {
      const n = integer(parts(tagged(all(tagged(spki[1], 3).bytes.subarray(1)), 0x30))[0]);
      c.key = n.toString(2).length >= 2048 ? "RSA" : "";
    } else if (kind.oid === "1.2.840.10045.2.1") {
      c.key = { "1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384" }[oid(kind.params)] ?? "";
    } else c.key = "";
    c.strange = false;
    const seen = new Set();
    for (const e of f.slice(i + 6).filter((x) => x.tag === 0xa3)) {
      for (const x of parts(tagged(all(e.bytes), 0x30))) {
        const p = parts(tagged(x, 0x30)), id = oid(p[0]);
        must(!seen.has(id));
        seen.add(id);
        const isCritical = p.length === 3 && tagged(p[1], 1).bytes[0] === 0xff;
        const value = all(tagged(p.at(-1), 4).bytes);
        if (isCritical && !critical.has(id)) c.strange = true;
        if (id === "2.5.29.15") { const b = tagged(value, 3).bytes; c.usage = (b[1] ?? 0) | ((b[2] ?? 0) << 8); }
        if (id === "2.5.29.19") { const q = parts(tagged(value, 0x30)); c.ca = q[0]?.tag === 1 && q[0].bytes[0] === 0xff; const len = q.find((y) => y.tag === 2); c.depth = len ? Number(integer(len)) : Infinity; c.basic = true; }
        if (id === "2.5.29.37") { c.extended = parts(tagged(value, 0x30)).map(oid); c.extendedCritical = isCritical; }
        if (id === "2.5.29.14") c.keyID = tagged(value, 4).bytes;
      }
    }
    return c;
  };
  const nameOf = (subject) => parts(subject).reverse().flatMap((set) => parts(set)).map((p) => {
    const [id, v] = parts(p);
    return `${names[oid(id)] ?? oid(id)}=${(decode(v.bytes) ?? binary(v.bytes)).replace(/[,+"\\<>;]/g, "\\$&")}`;
  }).join(",");

  // rawECDSA turns a signature of two integers in DER into what WebCrypto wants.
  const rawECDSA = (sig, size) => {
    const p = parts(tagged(all(sig), 0x30));
    must(p.length === 2);
    return concat(...p.map((e) => {
      const n = integer(e);
      must(n > 0n);
      const h = n.toString(16);
      must(h.length <= size * 2);
      return unhex(h.padStart(size * 2, "0"));
    }));
  };
  const signed = async (subtle, c, hash, rsa, data, sig) => {
    try {
      if (c.key === "RSA") {
        if (!rsa) return false;
        const k = await subtle.importKey("spki", c.spki, { name: "RSASSA-PKCS1-v1_5", hash }, false, ["verify"]);
        return await subtle.verify("RSASSA-PKCS1-v1_5", k, sig, data);
      }
      if (!c.key || rsa) return false;
      const k = await subtle.importKey("spki", c.spki, { name: "ECDSA", namedCurve: c.key }, false, ["verify"]);
      return await subtle.verify({ name: "ECDSA", hash }, k, rawECDSA(sig, c.key === "P-256" ? 32 : 48), data);
    } catch {
      return false;
    }
  };
  const pem = (text) => {
    const out = [];
    for (const m of text.matchAll(/^-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----\s*?$/gm)) {
      const b = base64(m[1].replace(/\s/g, ""));
      if (!b) return null;
      try { out.push(certificate(b)); } catch { return null; }
    }
    return out.length ? out : null;
  };
  const canonicalPEM = (text) => /^(?:-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/]{64}\n)*[A-Za-z0-9+/=]{1,64}\n-----END CERTIFICATE-----\n)+$/.test(text)
    && [...text.matchAll(/-----BEGIN CERTIFICATE-----\n([^-]+)-----END/g)].every((m) => { const s = m[1].replace(/\n/g, ""), b = base64(s); return b && btoa(binary(b)) === s; });

  const stamping = "1.3.6.1.5.5.7.3.8";
  const verifyStamp = async (subtle, token, data, roots) => {
    const digest = async (name, b) => new Uint8Array(await subtle.digest(name, b));
    must(token.length <= 1 << 20);
    const ci = parts(tagged(all(token), 0x30));
    must(ci.length === 2 && oid(ci[0]) === "1.2.840.113549.1.7.2");
    const sd = parts(tagged(all(tagged(ci[1], 0xa0).bytes), 0x30));
    integer(sd[0]);
    parts(tagged(sd[1], 0x31)).forEach(algorithm);
    const ec = parts(tagged(sd[2], 0x30));
    must(oid(ec[0]) === "1.2.840.113549.1.9.16.1.4");
    const content = tagged(all(tagged(ec[1], 0xa0).bytes), 4).bytes;
    const certs = [];
    for (const e of sd.slice(3, -1)) {
      must(e.tag === 0xa0 || e.tag === 0xa1);
      if (e.tag === 0xa0) {
        const list = parts(e);
        must(list.length <= 32);
        for (const x of list) try { certs.push(certificate(x.raw)); } catch { /* vouches for nothing */ }
      }
    }
    const signers = parts(tagged(sd.at(-1), 0x31));
    must(signers.length === 1);
    const si = parts(tagged(signers[0], 0x30));
    integer(si[0]);
    const attributes = new Map();
    const signedAttributes = tagged(si[3], 0xa0);
    for (const a of parts(signedAttributes)) {
      const [id, values] = parts(tagged(a, 0x30));
      const v = parts(tagged(values, 0x31));
      must(v.length === 1 && !attributes.has(oid(id)));
      attributes.set(oid(id), v[0]);
    }

    const info = parts(tagged(all(content), 0x30));
    must(integer(info[0]) === 1n);
    oid(info[1]);
    const [alg, print] = parts(tagged(info[2], 0x30));
    integer(info[3]);
    const at = timeOf(tagged(info[4], 0x18));
    for (const e of info.slice(5)) {
      if (e.tag === 0x30) {
        for (const [max, p] of parts(e).map((p) => [p.tag === 2 ? 86400n : 999n, p])) {
          must([0x02, 0x80, 0x81].includes(p.tag));
          const n = integer({ ...p, tag: 2 });
          must(n >= 0n && n <= max);
        }
      }
    }
    must(algorithm(alg).oid === "2.16.840.1.101.3.4.2.1");
    must(same(tagged(print, 4).bytes, sha256(data)), "timestamp-foreign");
    for (const e of info.slice(5).filter((x) => x.tag === 0xa1)) for (const x of parts(e)) must(!parts(tagged(x, 0x30)).some((p) => p.tag === 1 && p.bytes[0] !== 0));

    // The certificate that the signature names.
    let by;
    if (si[1].tag === 0x80) by = (c) => si[1].bytes.length > 0 && c.keyID && same(c.keyID, si[1].bytes);
    else {
      const [issuer, serial] = parts(tagged(si[1], 0x30));
      const n = integer(serial);
      by = (c) => c.serial === n && same(c.issuer, issuer.raw);
    }
    const cert = certs.find(by) ?? roots.find(by);
    must(cert);
    const v1 = attributes.get("1.2.840.113549.1.9.16.2.12"), v2 = attributes.get("1.2.840.113549.1.9.16.2.47");
    must(v1 || v2);
    const firstOf = (v) => parts(tagged(parts(tagged(parts(tagged(v, 0x30))[0], 0x30))[0], 0x30));
    if (v1) must(same(tagged(firstOf(v1)[0], 4).bytes, await digest("SHA-1", cert.raw)));
    if (v2) {
      const p = firstOf(v2);
      const name = p[0].tag === 0x30 ? digests[algorithm(p[0]).oid] : "SHA-256";
      must(name && same(tagged(p[0].tag === 0x30 ? p[1] : p[0], 4).bytes, await digest(name, cert.raw)));
    }

    // The signature.
    const hash = digests[algorithm(si[2]).oid];
    must(hash);
    const type = attributes.get("1.2.840.113549.1.9.3"), sum = attributes.get("1.2.840.113549.1.9.4");
    must(type && oid(type) === "1.2.840.113549.1.9.16.1.4");
    must(sum && same(tagged(sum, 4).bytes, await digest(hash, content)));
    const method = algorithm(si[4]).oid;
    const [over, rsa] = signatures[method] ?? (method === "1.2.840.113549.1.1.1" ? [hash, true] : []);
    must(over === hash && cert.key);
    const text = signedAttributes.raw.slice();
    text[0] = 0x31;
    must(await signed(subtle, cert, hash, rsa, text, tagged(si[5], 4).bytes));

    // Who vouches for the certificate.
    must(cert.extended?.length === 1 && cert.extended[0] === stamping && cert.extendedCritical);
    must(cert.usage === undefined || cert.usage & 0xc0);
    must(at >= cert.from && at <= cert.to);
    const chain = await vouched(subtle, cert, certs, roots, at, 0);
    must(chain, "timestamp-untrusted");
    must(chain.every((c) => c.key));
    return { at, authority: nameOf(cert.subject) };
  };
  // vouched returns the chain from c to a root, null where there is none.
  const vouched = async (subtle, c, certs, roots, at, below) => {
    if (below > 8 || c.strange || at < c.from || at > c.to) return null;
    if (c.extended && !c.extended.includes(stamping) && !c.extended.includes("2.5.29.37.0")) return null;
    if (below > 0 && (c.version === 2n && !(c.basic && c.ca))) return null;
    if (below > 0 && ((c.usage !== undefined && !(c.usage & 0x04)) || (c.depth ?? Infinity) < below - 1)) return null;
    if (roots.some((r) => same(r.raw, c.raw))) return [c];
    const [hash, rsa] = signatures[c.alg] ?? [];
    if (!hash) return null;
    for (const list of [roots, certs]) {
      for (const p of list) {
        if (!same(p.subject.raw, c.issuer) || same(p.raw, c.raw) || !await signed(subtle, p, hash, rsa, c.tbs, c.signature)) continue;
        const up = await vouched(subtle, p, certs, roots, at, below + 1);
        if (up) return [c, ...up];
      }
    }
    return null;
  };

  // ---- the zip ----

  const maxFiles = 200000, maxDir = 128 * 1024 * 1024, maxTags = 256 * 1024 * 1024, maxInt = 2 ** 53;
  const MAX32 = 0xffffffff, MAX16 = 0xffff;
  const bytesOf = (...fields) => { // pairs of length and value, little-endian; a string stands for itself
    const out = [];
    for (const f of fields) {
      if (typeof f === "string") { for (let i = 0; i < f.length; i++) out.push(f.charCodeAt(i)); continue; }
      let [n, v] = f;
      for (; n > 0; n--) { out.push(v % 256); v = Math.floor(v / 256); }
    }
    return Uint8Array.from(out);
  };
  const common = (e, zip64, time, date, extra) => [[2, zip64 ? 45 : 20], [2, 0x0800], [2, 0], [2, time], [2, date], [4, e.crc],
    [4, Math.min(e.size, MAX32)], [4, Math.min(e.size, MAX32)], [2, e.name.length], [2, extra]];
  const localHeader = (e, at) => {
    const big = e.size >= MAX32;
    return bytesOf([4, 0x04034b50], ...common(e, big, at.time, at.date, big ? 20 : 0), e.name, ...(big ? [[2, 1], [2, 16], [8, e.size], [8, e.size]] : []));
  };
  const centralHeader = (e, at) => {
    const x = [];
    if (e.size >= MAX32) x.push([8, e.size], [8, e.size]);
    if (e.offset >= MAX32) x.push([8, e.offset]);
    const big = x.length > 0;
    return bytesOf([4, 0x02014b50], [2, (3 << 8) | (big ? 45 : 20)], ...common(e, big, at.time, at.date, big ? 4 + x.length * 8 : 0),
      [6, 0], [4, 0o100644 * 65536], [4, Math.min(e.offset, MAX32)], e.name, ...(big ? [[2, 1], [2, x.length * 8], ...x] : []));
  };
  const ending = (n, size, offset) => {
    const z = n >= MAX16 || size >= MAX32 || offset >= MAX32;
    return bytesOf(...(z ? [[4, 0x06064b50], [8, 44], [2, (3 << 8) | 45], [2, 45], [8, 0], [8, n], [8, n], [8, size], [8, offset],
      [4, 0x07064b50], [4, 0], [8, offset + size], [4, 1]] : []),
    [4, 0x06054b50], [4, 0], [2, Math.min(n, MAX16)], [2, Math.min(n, MAX16)], [4, Math.min(size, MAX32)], [4, Math.min(offset, MAX32)], [2, 0]);
  };
  const view = (b) => new DataView(b.buffer, b.byteOffset, b.byteLength);
  const long = (v, at) => Number(v.getBigUint64(at, true));
  const dosOf = (us) => {
    const d = new Date(us / 1000);
    return { time: (d.getUTCHours() << 11) | (d.getUTCMinutes() << 5) | (d.getUTCSeconds() >> 1), date: ((d.getUTCFullYear() - 1980) << 9) | ((d.getUTCMonth() + 1) << 5) | d.getUTCDate() };
  };

  // ---- the checks ----

  const stampNames = ["seal/timestamp.tsr", "seal/timestamp.tst", "seal/tsa-roots.pem"];
  const tagNames = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "sm3sum.txt", "README.txt", "VERIFY.html",
    "seal/seal.json", "seal/entry.json", "seal/custody.json", "seal/proofs.json", "seal/checkpoint.txt", "seal/log-key.txt", ...stampNames];
  // maxTag is how large one file about the payload may be.
  const maxTag = (p) => {
    if (["manifest-sha256.txt", "tagmanifest-sha256.txt", "sm3sum.txt"].includes(p)) return 64 * 1024 * 1024;
    if (["seal/custody.json", "seal/proofs.json"].includes(p)) return 128 * 1024 * 1024;
    return 4 * 1024 * 1024;
  };
  const checkCodes = [
    ["zip", ["zip-damaged", "path-unsafe", "limit"]],
    ["files", ["file-changed", "file-missing", "file-extra"]],
    ["sm3", ["sm3-wrong"]],
    ["tags", ["file-changed", "file-missing", "file-extra", "manifest-changed", "tagmanifest-changed"]],
    ["seal", ["seal-manifest", "seal-changed"]],
    ["entry", ["entry-changed"]],
    ["checkpoint", ["checkpoint-forged", "checkpoint-other"]],
    ["proofs", ["proof-wrong"]],
    ["custody", ["custody-missing", "custody-changed", "custody-extra"]],
    ["items", ["item-other"]],
    ["timestamp", ["timestamp-foreign", "timestamp-invalid", "timestamp-untrusted"]],
    ["key", ["key-other"]],
    ["roots", ["roots-other"]],
  ];

  const parseSums = (b) => {
    const lines = [];
    let ok = true, last = "", at = 0;
    while (at < b.length) {
      let end = b.indexOf(10, at);
      const ended = end >= 0;
      if (!ended) end = b.length;
      const text = decode(b.subarray(at, end));
      at = end + 1;
      const m = ended && text !== null ? /^([0-9a-f]{64}) {2}(.*)$/s.exec(text) : null;
      if (!m || !safePath(m[2]) || order(m[2], last) <= 0) { ok = false; continue; }
      last = m[2];
      lines.push({ path: m[2], sum: m[1] });
    }
    return [lines, ok];
  };
  const lastNumbers = (items) => hex(sha256(encode([...items].map(([item, n]) => `${item} ${n}\n`).sort(order).join(""))));

  const readSeal = (b) => {
    const text = decode(b), s = text === null ? undefined : parse(text);
    if (!isObject(s) || s.format !== 1 || !isObject(s.items_custody) || typeof s.manifest !== "string" || !/^[0-9a-f]{64}$/.test(s.manifest)) return null;
    if (![s.case, s.variant, s.origin].every(validID) || ![s.number, s.items, s.custody, s.entry, s.size].every(whole) || typeof s.time !== "string") return null;
    const us = instant(s.time), year = Number(s.time.slice(0, 4));
    const last = Object.keys(s.items_custody).sort(order).map((k) => [k, s.items_custody[k]]);
    if (us === null || year < 1980 || year > 2107 || !last.every(([k, n]) => validID(k) && whole(n))) return null;
    const again = `{"format":1,"case":${quote(s.case)},"number":${s.number},"variant":${quote(s.variant)},"time":${quote(s.time)},"origin":${quote(s.origin)},"manifest":"${s.manifest}","items":${s.items},"custody":${s.custody},"entry":${s.entry},"size":${s.size},"items_custody":{${last.map(([k, n]) => `${quote(k)}:${n}`).join(",")}}}\n`;
    return again === text ? { ...s, us, last: new Map(last) } : null;
  };
  // readEntry reads the canonical form of a log entry; its detail stays as it is written.
  const readEntry = (text) => {
    const e = text === null ? undefined : parse(text);
    if (!isObject(e) || !Number.isSafeInteger(e.time) || ![e.actor, e.action, e.target].every((s) => typeof s === "string" && wellFormed(s))) return null;
    const front = `{"time":${e.time},"actor":${quote(e.actor)},"action":${quote(e.action)},"target":${quote(e.target)}`;
    if (text === `${front}}`) return { ...e, detail: "" };
    const open = `${front},"detail":`;
    if (!text.startsWith(open) || !text.endsWith("}")) return null;
    const detail = text.slice(open.length, -1);
    if (parse(detail) === undefined || /[<>&\u2028\u2029]/.test(detail) || /[ \t\r\n]/.test(detail.replace(/"(?:[^"\\]|\\.)*"/g, '""'))) return null;
    return { ...e, detail };
  };
  const readSealed = (b) => {
    const e = readEntry(decode(b));
    if (!e || e.action !== "case.sealed" || !e.target.startsWith("case:")) return null;
    const s = parse(e.detail);
    if (!isObject(s) || ![s.seal, s.items, s.custody].every(whole) || typeof s.variant !== "string" || ![s.manifest, s.last].every((h) => typeof h === "string" && /^[0-9a-f]{64}$/.test(h))) return null;
    const again = `{"seal":${s.seal},"variant":${quote(s.variant)},"manifest":"${s.manifest}","items":${s.items},"custody":${s.custody},"last":"${s.last}"}`;
    return again === e.detail ? { entry: e, ...s } : null;
  };
  const readCustody = (b) => {
    const text = decode(b), f = text === null ? undefined : parse(text);
    if (!isObject(f) || !Array.isArray(f.entries)) return null;
    let last = -1;
    for (const e of f.entries) {
      if (!isObject(e) || !whole(e.id) || !validID(e.item) || !whole(e.n) || e.n < 1 || typeof e.data !== "string" || !wellFormed(e.data) || e.id <= last) return null;
      last = e.id;
    }
    const again = `{"entries":[${f.entries.map((e) => `{"id":${e.id},"item":${quote(e.item)},"n":${e.n},"data":${quote(e.data)}}`).join(",")}]}\n`;
    return again === text ? f.entries : null;
  };
  const readProofs = (b) => {
    const text = decode(b), f = text === null ? undefined : parse(text);
    if (!isObject(f) || !isObject(f.entries)) return null;
    const ids = Object.keys(f.entries).sort(order);
    const ok = (hs) => Array.isArray(hs) && hs.every((h) => typeof h === "string" && /^[0-9a-f]{64}$/.test(h));
    if (!ids.every((id) => ok(f.entries[id]))) return null;
    const again = `{"entries":{${ids.map((id) => `${quote(id)}:[${f.entries[id].map((h) => `"${h}"`).join(",")}]`).join(",")}}}\n`;
    return again === text ? new Map(ids.map((id) => [id, f.entries[id].map(unhex)])) : null;
  };
  // custodyOf is null where an entry is not the log entry it says it is.
  const custodyOf = (e) => {
    const got = readEntry(e.data);
    if (!got || got.target !== `item:${e.item}`) return null;
    const d = parse(got.detail);
    if (!isObject(d) || own(d, "n") !== e.n) return null;
    const sum = own(d, "sha256");
    return { takenIn: got.action === "item.taken-in", sum: typeof sum === "string" ? sum : "" };
  };
  // itemOf finds the id in the name of an item's file: behind a hyphen, up to a dot or the end.
  const itemOf = (name, taken) => {
    for (let i = name.indexOf("-"); i >= 0; i = name.indexOf("-", i + 1)) {
      const id = name.slice(i + 1).split(".")[0];
      if (taken.has(id)) return id;
    }
    return null;
  };

  const verify = async (source, options = {}) => {
    const subtle = options.subtle === undefined ? globalThis.crypto?.subtle : options.subtle;
    const zipped = !source.files;
    const problems = new Map(), done = new Set(), why = {};
    const members = new Map(), tags = new Map();
    const report = { name: "", case: "", number: 0, variant: "", sealed: "", stamped: "", authority: "", key: "", roots: [], files: 0, items: 0, custody: 0 };
    const add = (code, key, file, ...args) => {
      args = args.map((a) => show(String(a)));
      problems.set(JSON.stringify([code, key, file, args]), { code, key, file, args });
    };
    let bagName = "", zipAt = null, seal = null;

    // finish gathers what was found.
    const finish = (reason) => {
      const place = new Map();
      checkCodes.forEach(([, codes], i) => codes.forEach((c) => { if (!place.has(c)) place.set(c, i); }));
      report.problems = [...problems.values()].sort((a, b) => place.get(a.code) - place.get(b.code) || order(a.code, b.code) || order(a.file, b.file));
      report.checks = checkCodes.map(([code, codes]) => {
        const about = (p) => (code !== "files" && code !== "tags") || p.file.startsWith("data/") === (code === "files");
        if (report.problems.some((p) => codes.includes(p.code) && about(p))) return { code, state: "failed" };
        if (why[code]) return { code, state: "absent", why: why[code] };
        return done.has(code) ? { code, state: "ok" } : { code, state: "absent", why: reason };
      });
      report.name = showBinary(bagName);
      return report;
    };

    const inBag = (name) => showBinary(name.startsWith(`${bagName}/`) ? name.slice(bagName.length + 1) : name);
    const readZip = async () => {
      const bad = (key) => { add("zip-damaged", key, "zip"); return false; };
      const { size } = source;
      if (size < 22) return bad("zip-not");
      let end = await source.read(size - 22, 22), v = view(end);
      if (v.getUint32(0, true) !== 0x06054b50) return bad("zip-not");
      let count = v.getUint16(10, true), length = v.getUint32(12, true), start = v.getUint32(16, true);
      if (count === MAX16 || length === MAX32 || start === MAX32) {
        if (size < 98) return bad("zip-not");
        end = await source.read(size - 98, 98);
        v = view(end);
        if ([32, 40, 48].some((at) => v.getBigUint64(at, true) > BigInt(maxInt))) return bad("zip-directory");
        [count, length, start] = [long(v, 32), long(v, 40), long(v, 48)];
      }
      if (count > maxFiles) { add("limit", "too-many", "zip", maxFiles); return false; }
      if (count < 1 || length > maxDir || start + length !== size - end.length || !same(end, ending(count, length, start))) return bad("zip-directory");
      const dir = await source.read(start, length);
      v = view(dir);
      const entries = [];
      let at = 0;
      for (let i = 0; i < count; i++) {
        if (dir.length - at < 46 || v.getUint32(at, true) !== 0x02014b50) return bad("zip-directory");
        const [n, x, c] = [28, 30, 32].map((k) => v.getUint16(at + k, true));
        const total = 46 + n + x + c;
        if (dir.length - at < total) return bad("zip-directory");
        const e = { name: binary(dir.subarray(at + 46, at + 46 + n)), size: v.getUint32(at + 24, true), crc: v.getUint32(at + 16, true), offset: v.getUint32(at + 42, true),
          at: { time: v.getUint16(at + 12, true), date: v.getUint16(at + 14, true) }, raw: dir.subarray(at, at + total) };
        e.compressed = v.getUint16(at + 10, true) !== 0 || (v.getUint16(at + 8, true) & 1) !== 0 || v.getUint32(at + 20, true) !== e.size || v.getUint16(at + 34, true) !== 0;
        let p = at + 46 + n, left = x;
        if (left >= 4 && v.getUint16(p, true) === 1) {
          p += 4;
          left -= 4;
          if (e.size === MAX32 && left >= 16) {
            if (v.getBigUint64(p, true) > BigInt(maxInt)) return bad("zip-directory");
            e.size = long(v, p);
            p += 16;
            left -= 16;
          }
          if (e.offset === MAX32 && left >= 8) {
            if (v.getBigUint64(p, true) > BigInt(maxInt)) return bad("zip-directory");
            e.offset = long(v, p);
          }
        }
        entries.push(e);
        at += total;
      }
      if (at !== dir.length) return bad("zip-directory");
      let next = 0, last = null;
      for (const [i, e] of entries.entries()) {
        if (e.compressed) { add("zip-damaged", "zip-compressed", inBag(e.name)); return false; }
        if (i === 0) { zipAt = e.at; bagName = e.name.split("/")[0]; }
        const want = localHeader(e, zipAt);
        if (e.offset !== next || e.size > start - next - want.length) { add("zip-damaged", "zip-layout", inBag(e.name)); return false; }
        if (!same(await source.read(e.offset, want.length), want) || !same(e.raw, centralHeader(e, zipAt))) add("zip-damaged", "zip-header", inBag(e.name));
        const data = e.offset + want.length;
        next = data + e.size;
        if (last !== null && e.name <= last) { add("zip-damaged", "zip-order", inBag(e.name)); continue; }
        last = e.name;
        const name = decode(unbinary(e.name)), folder = decode(unbinary(bagName));
        if (name === null || folder === null || !name.startsWith(`${folder}/`) || !safePath(name)) { add("path-unsafe", "path-unsafe", inBag(e.name)); continue; }
        members.set(name.slice(folder.length + 1), { size: e.size, crc: e.crc, read: (from, n) => source.read(data + from, n) });
      }
      if (next !== start) { add("zip-damaged", "zip-layout", "zip"); return false; }
      done.add("zip");
      return true;
    };

    if (zipped) {
      if (!await readZip()) return finish("why.zip-broken");
    } else {
      why.zip = "why.zip-folder";
      for (const f of source.files.slice().sort((a, b) => order(a.path, b.path))) {
        if (members.size >= maxFiles) { add("limit", "too-many", "zip", maxFiles); break; }
        if (!safePath(f.path)) add("path-unsafe", "path-unsafe", show(f.path));
        else members.set(f.path, f);
      }
    }
    const paths = [...members.keys()].sort(order);

    // The files about the payload.
    const folds = new Map();
    for (const p of paths) {
      const k = fold(p);
      if (folds.has(k)) add("path-unsafe", "path-clash", p); else folds.set(k, p);
    }
    let nested = null;
    for (const k of folds.keys()) {
      for (let i = k.indexOf("/"); i >= 0; i = k.indexOf("/", i + 1)) {
        const p = folds.get(k.slice(0, i));
        if (p !== undefined && (nested === null || order(p, nested) < 0)) nested = p;
      }
    }
    if (nested !== null) add("path-unsafe", "path-clash", nested);
    let stampedAny = false, reading = [], tagsSize = 0;
    for (const p of paths) {
      const m = members.get(p);
      if (p.startsWith("data/")) continue;
      if (!tagNames.includes(p)) { add("file-extra", "file-extra", p); continue; }
      if (m.size > maxTag(p)) { add("limit", "too-large", p, maxTag(p)); continue; }
      stampedAny ||= stampNames.includes(p);
      reading.push([p, m]);
      tagsSize += m.size;
    }
    if (tagsSize > maxTags) { // before any is read: all of them are held in memory
      add("limit", "tags-large", "zip", maxTags);
      reading = [];
    }
    for (const [p, m] of reading) {
      const b = await m.read(0, m.size);
      if (zipped && crc32(b) !== m.crc) add("zip-damaged", "zip-crc", p);
      tags.set(p, b);
    }
    for (const p of tagNames) if (!members.has(p) && (stampedAny || !stampNames.includes(p))) add("file-missing", "file-missing", p);

    const bagit = tags.get("bagit.txt");
    if (bagit && decode(bagit) !== "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n") add("file-changed", "file-form", "bagit.txt");
    const manifest = tags.get("manifest-sha256.txt");
    let listed = [];
    if (manifest) {
      const [lines, ok] = parseSums(manifest);
      listed = lines.filter((l) => l.path.startsWith("data/"));
      if (!ok || listed.length !== lines.length) add("manifest-changed", "manifest-form", "manifest-sha256.txt");
    }
    const tagmanifest = tags.get("tagmanifest-sha256.txt");
    if (tagmanifest) {
      const name = "tagmanifest-sha256.txt";
      let [lines, ok] = parseSums(tagmanifest);
      const seen = new Set([name]);
      for (const l of lines) {
        if (l.path.startsWith("data/") || l.path === name) { ok = false; continue; }
        seen.add(l.path);
        if (!members.has(l.path)) add("file-missing", "file-missing", l.path);
        const b = tags.get(l.path);
        if (!b || hex(sha256(b)) === l.sum) continue;
        if (l.path === "manifest-sha256.txt") add("manifest-changed", "manifest-tag", l.path, name);
        else add("file-changed", "file-changed", l.path, name);
      }
      if (!ok) add("tagmanifest-changed", "tagmanifest-form", name);
      for (const p of tags.keys()) if (!seen.has(p)) add("tagmanifest-changed", "tagmanifest-unlisted", name, p);
      done.add("tags");
    }

    // The seal.
    const manifestSum = manifest && hex(sha256(manifest));
    const sealBytes = tags.get("seal/seal.json");
    if (sealBytes) {
      seal = readSeal(sealBytes);
      if (!seal) add("seal-changed", "seal-form", "seal/seal.json");
      else {
        Object.assign(report, { case: seal.case, number: seal.number, variant: seal.variant, sealed: seal.time, items: seal.items, custody: seal.custody });
        const at = dosOf(seal.us);
        if (zipped && (at.time !== zipAt.time || at.date !== zipAt.date)) add("zip-damaged", "zip-time", "zip");
      }
    }

    // The checkpoint.
    const keyBytes = tags.get("seal/log-key.txt");
    const ownKey = keyBytes ? (decode(keyBytes) ?? "\n").replace(/\n$/, "") : "";
    let keyOK = Boolean(keyBytes);
    if (keyBytes && (!keyOf(ownKey) || decode(keyBytes) !== `${ownKey}\n`)) { add("checkpoint-forged", "checkpoint-key", "seal/log-key.txt"); keyOK = false; }
    let key = ownKey;
    if (!options.key) {
      why.key = "why.own-key";
    } else {
      done.add("key");
      if (ownKey !== options.key) add("key-other", "key-other", "seal/log-key.txt");
      key = options.key;
      keyOK = true;
    }
    if (keyOK) report.key = hex(sha256(encode(key)));
    const checkpoint = tags.get("seal/checkpoint.txt");
    let tree = null;
    if (checkpoint) {
      const text = decode(checkpoint);
      if (keyOK) {
        done.add("checkpoint");
        const v = keyOf(key);
        const bad = v ? badNote(text, v) : "checkpoint-key";
        if (!v) add("checkpoint-forged", "checkpoint-key", "seal/log-key.txt");
        else if (bad) add("checkpoint-forged", bad, "seal/checkpoint.txt", v.name);
      }
      tree = claimed(text);
      if (!tree) add("checkpoint-forged", "checkpoint-tree", "seal/checkpoint.txt");
      if (tree && seal && tree.origin !== seal.origin) add("checkpoint-other", "checkpoint-origin", "seal/checkpoint.txt", tree.origin);
      if (tree && seal && tree.size !== seal.size) add("checkpoint-other", "checkpoint-size", "seal/checkpoint.txt", tree.size);
    }

    // The sealing entry.
    const proofBytes = tags.get("seal/proofs.json");
    const proofs = proofBytes ? readProofs(proofBytes) : null;
    if (proofBytes && !proofs) add("proof-wrong", "proof-form", "seal/proofs.json");
    const proven = (id, b) => inTree(tree, id, b, proofs.get(String(id)) ?? []);
    const entryBytes = tags.get("seal/entry.json");
    let sealed = null;
    if (entryBytes) {
      if (tree && proofs && seal && !proven(seal.entry, entryBytes)) add("proof-wrong", "proof-entry", "seal/entry.json", seal.entry);
      sealed = readSealed(entryBytes);
      if (!sealed) add("entry-changed", "entry-form", "seal/entry.json");
      else {
        done.add("entry");
        if (manifest) {
          if (seal) done.add("seal");
          if (manifestSum !== sealed.manifest) add("seal-manifest", "seal-manifest", "manifest-sha256.txt");
        }
        if (seal) {
          for (const [name, ok] of [
            ["case", sealed.entry.target === `case:${seal.case}`],
            ["time", sealed.entry.time === seal.us],
            ["number", sealed.seal === seal.number],
            ["variant", sealed.variant === seal.variant],
            ["manifest", sealed.manifest === seal.manifest],
            ["items", sealed.items === seal.items && sealed.items === seal.last.size],
            ["custody", sealed.custody === seal.custody],
            ["items_custody", sealed.last === lastNumbers(seal.last)],
          ]) if (!ok) add("seal-changed", "seal-field", "seal/seal.json", name);
        }
      }
    }

    // Custody.
    const custodyName = "seal/custody.json", custodyBytes = tags.get(custodyName);
    let custody = null;
    if (custodyBytes) {
      custody = readCustody(custodyBytes);
      if (!custody) add("custody-changed", "custody-form", custodyName);
    }
    if (custody) {
      const ids = new Set(seal ? [String(seal.entry)] : []), numbers = new Map(), taken = new Map();
      for (const e of custody) {
        ids.add(String(e.id));
        if (!numbers.has(e.item)) numbers.set(e.item, []);
        numbers.get(e.item).push(e.n);
        const entry = custodyOf(e);
        if (!entry) add("custody-changed", "custody-entry", custodyName, e.id, e.item, e.n);
        else if (entry.takenIn) {
          const was = taken.get(e.item) ?? [];
          if (was.length === 0 || (was.length === 1 && was[0].sum !== entry.sum)) taken.set(e.item, [...was, { entry: e.id, sum: entry.sum }]);
        }
        if (tree && proofs && !proven(e.id, encode(e.data))) add("proof-wrong", "proof-custody", custodyName, e.id, e.item, e.n);
      }
      if (proofs && seal && (ids.size !== proofs.size || [...proofs.keys()].some((id) => !ids.has(id)))) add("proof-wrong", "proof-set", "seal/proofs.json");
      const count = () => {
        if (sealed.custody > custody.length) add("custody-missing", "custody-count", custodyName, sealed.custody, custody.length);
        if (sealed.custody < custody.length) add("custody-extra", "custody-surplus", custodyName, sealed.custody, custody.length);
      };
      if (manifest) {
        done.add("items");
        for (const l of listed) {
          const name = l.path.startsWith("data/items/") ? l.path.slice(11) : "/";
          const item = name.includes("/") ? null : itemOf(name, taken);
          const other = (taken.get(item) ?? []).find((t) => t.sum !== l.sum);
          if (other) add("item-other", "item-other", l.path, other.entry, item);
        }
      }
      if (!seal) {
        if (sealed) count();
      } else {
        if (sealed) done.add("custody");
        const last = new Map(seal.last);
        if (sealed && sealed.last !== lastNumbers(last)) {
          // The one item whose last number was lowered to hide that its last entries were dropped.
          let total = 0, size = 0;
          for (const [item, n] of last) { total += n; size += encode(item).length + 8; }
          const dropped = sealed.custody - total;
          if (dropped >= 1 && dropped <= 1000 && size * last.size <= 64 * 1024 * 1024) {
            for (const item of [...last.keys()].sort(order)) {
              const n = last.get(item);
              last.set(item, n + dropped);
              if (lastNumbers(last) === sealed.last) break;
              last.set(item, n);
            }
          }
        }
        let named = false;
        for (const item of [...last.keys()].sort(order)) {
          const most = last.get(item);
          let next = 1;
          for (const n of [...(numbers.get(item) ?? []).sort((a, b) => a - b), most + 1]) {
            if (n > next && next <= most) {
              named = true;
              const to = Math.min(n - 1, most);
              if (to === next) add("custody-missing", "custody-one", custodyName, item, next);
              else add("custody-missing", "custody-many", custodyName, item, next, to);
            }
            next = Math.max(next, n + 1);
          }
        }
        let extra = false;
        for (const [item, ns] of numbers) {
          const seen = new Set();
          for (const n of ns) {
            if (n > (last.get(item) ?? 0) || seen.has(n)) { extra = true; add("custody-extra", "custody-extra", custodyName, item, n); }
            seen.add(n);
          }
        }
        if (sealed && !named && !extra) count();
      }
    }
    if (tree && proofs && seal && entryBytes && custody) done.add("proofs");

    // The time-stamp.
    const token = tags.get("seal/timestamp.tst"), response = tags.get("seal/timestamp.tsr"), list = tags.get("seal/tsa-roots.pem");
    if (!token && !response && !list) {
      why.timestamp = why.roots = "why.no-stamp";
    } else {
      let ownRoots = list && canonicalPEM(binary(list)) ? pem(binary(list)) : null;
      for (const r of ownRoots ?? []) if (!await readable(subtle, r)) ownRoots = null;
      if (list && !ownRoots) add("timestamp-invalid", "timestamp-roots", "seal/tsa-roots.pem");
      let roots = ownRoots;
      if (!options.roots) {
        why.roots = "why.own-roots";
      } else {
        roots = pem(options.roots) ?? [];
        done.add("roots");
        if (list && !(ownRoots ?? []).some((r) => roots.some((t) => same(t.raw, r.raw)))) add("roots-other", "roots-other", "seal/tsa-roots.pem");
      }
      report.roots = (roots ?? []).map((r) => hex(sha256(r.raw)));
      if (token && response) {
        let ok = false;
        try {
          const p = parts(tagged(all(response), 0x30));
          ok = same(p[0].raw, unhex("3003020100")) && p.length === 2 && same(p[1].raw, token) && same(all(token).raw, token);
        } catch { /* not in DER */ }
        if (!ok) add("timestamp-invalid", "timestamp-response", "seal/timestamp.tsr");
      }
      if (token && checkpoint && roots?.length) {
        if (!subtle) why.timestamp = "why.no-subtle";
        else {
          done.add("timestamp");
          try {
            const s = await verifyStamp(subtle, token, checkpoint, roots);
            report.stamped = new Date(s.at).toISOString();
            report.authority = show(s.authority);
          } catch (e) {
            const code = e instanceof Refused ? e.code : "timestamp-invalid";
            add(code, code, "seal/timestamp.tst");
          }
        }
      }
    }

    // The payload.
    const named = new Set();
    let total = 0;
    for (const l of listed) {
      named.add(l.path);
      const m = members.get(l.path);
      if (!m) add("file-missing", "file-missing", l.path);
      total += m?.size ?? 0;
    }
    if (manifest) {
      for (const p of paths) if (p.startsWith("data/") && !named.has(p)) add("file-extra", "file-extra", p);
      done.add("files");
    }
    const sm3Sums = new Map(), sm3Bytes = tags.get("sm3sum.txt");
    if (sm3Bytes) {
      const [lines, ok] = parseSums(sm3Bytes);
      if (!ok || lines.length !== listed.length || lines.some((l, i) => l.path !== listed[i].path)) add("sm3-wrong", "sm3-form", "sm3sum.txt");
      for (const l of lines) sm3Sums.set(l.path, l.sum);
      if (manifest) done.add("sm3");
    }
    let read = 0;
    const piece = 4 * 1024 * 1024;
    const check = async (l) => {
      const m = members.get(l.path);
      if (!m) return;
      const sm3 = new SM3();
      let sha, crc = 0;
      const use = (b) => {
        sm3.update(b);
        if (zipped) crc = crc32(b, crc);
        read += b.length;
        options.progress?.(read, total);
      };
      if (subtle && m.size <= piece) {
        const b = await m.read(0, m.size);
        const promise = subtle.digest("SHA-256", b);
        use(b);
        sha = new Uint8Array(await promise);
      } else {
        const h = new SHA256();
        for (let at = 0; at < m.size; at += piece) {
          const b = await m.read(at, Math.min(piece, m.size - at));
          h.update(b);
          use(b);
        }
        sha = h.digest();
      }
      if (zipped && crc !== m.crc) add("zip-damaged", "zip-crc", l.path);
      if (hex(sha) !== l.sum) add("file-changed", "file-changed", l.path, "manifest-sha256.txt");
      else if (sm3Sums.has(l.path) && hex(sm3.digest()) !== sm3Sums.get(l.path)) add("sm3-wrong", "sm3-wrong", l.path);
    };
    let turn = 0;
    const worker = async () => { while (turn < listed.length) await check(listed[turn++]); };
    await Promise.all([worker(), worker()]);
    report.files = listed.length;

    // What bag-info.txt says.
    const info = tags.get("bag-info.txt");
    if (info && seal) {
      const text = decode(info) ?? "";
      const got = text.split("\n");
      const want = ["Source-Organization: ", `Bagging-Date: ${seal.time.slice(0, 10)}`, `External-Identifier: ${seal.origin}/${seal.case}/${seal.number}/${seal.variant}`,
        `Payload-Oxum: ${total}.${listed.length}`, "Bag-Software-Agent: bonafide "];
      if (got.length !== want.length + 1 || got.at(-1) !== "") add("file-changed", "bag-info", "bag-info.txt", "Source-Organization");
      else want.forEach((w, i) => {
        const free = i === 0 || i === want.length - 1;
        if (got[i] !== w && (!free || !got[i].startsWith(w))) add("file-changed", "bag-info", "bag-info.txt", w.split(":")[0]);
      });
    }
    return finish("why.missing");
  };

  // say fills a text of the words.
  const say = (words, key, file = "", args = []) => words[key].replace(/\{(f|\d)\}/g, (_, k) => (k === "f" ? file : args[k] ?? ""));

  return { verify, say, sha256, SHA256, SM3, sha512, ed25519, crc32, keyOf, hex, order, safePath };
})();
