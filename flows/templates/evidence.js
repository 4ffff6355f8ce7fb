"use strict";
(function () {
const ROW = 65.6, MATRIX_ROW = 34, SPARE = 8, PRINTED = 500, COPIED = 5000, BEFORE = 42, NONE = "-";
const started = performance.now();
const isChinese = document.documentElement.lang === "zh-CN";
const $ = (selector) => document.querySelector(selector);
const say = (zh, en) => (isChinese ? zh : en);
const whole = (value) => value.toLocaleString("en-US");
const order = new Intl.Collator("zh-CN").compare;

// ---- the data ----------------------------------------------------------------------------------------------------

async function unpack(text) {
  const binary = atob(text.trim()), bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  if (typeof DecompressionStream === "undefined") return new TextDecoder().decode(inflate(bytes));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

// Decompress as RFC 1951 says, for browsers that cannot.
function inflate(bytes) {
  let at = 2, bit = 0, out = new Uint8Array(bytes.length * 6), size = 0;
  const take = (count) => {
    let value = 0;
    for (let n = 0; n < count; n++) {
      value |= ((bytes[at] >> bit) & 1) << n;
      if (++bit === 8) { bit = 0; at++; }
    }
    return value;
  };
  const put = (value) => {
    if (size === out.length) { const larger = new Uint8Array(size * 2); larger.set(out); out = larger; }
    out[size++] = value;
  };
  const tree = (lengths) => {
    const counts = new Uint16Array(16), places = new Uint16Array(16), symbols = new Uint16Array(lengths.length);
    for (const length of lengths) counts[length]++;
    counts[0] = 0;
    for (let n = 1; n < 16; n++) places[n] = places[n - 1] + counts[n - 1];
    lengths.forEach((length, symbol) => { if (length) symbols[places[length]++] = symbol; });
    return { counts, symbols };
  };
  const next = ({ counts, symbols }) => {
    let code = 0, first = 0, index = 0;
    for (let length = 1; length < 16; length++) {
      code |= take(1);
      if (code - first < counts[length]) return symbols[index + code - first];
      index += counts[length];
      first = (first + counts[length]) << 1;
      code <<= 1;
    }
    throw new Error("damaged data");
  };
  const lengthBase = [], lengthBits = [], distanceBase = [], distanceBits = [];
  for (let n = 0, base = 3; n < 28; n++) { lengthBits[n] = n < 8 ? 0 : (n >> 2) - 1; lengthBase[n] = base; base += 1 << lengthBits[n]; }
  lengthBase[28] = 258; lengthBits[28] = 0;
  for (let n = 0, base = 1; n < 30; n++) { distanceBits[n] = n < 4 ? 0 : (n >> 1) - 1; distanceBase[n] = base; base += 1 << distanceBits[n]; }
  const codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
  const dynamic = () => {
    const literals = take(5) + 257, distances = take(5) + 1, codes = take(4) + 4, short = new Array(19).fill(0), all = [];
    for (let n = 0; n < codes; n++) short[codeOrder[n]] = take(3);
    const codeTree = tree(short);
    while (all.length < literals + distances) {
      const symbol = next(codeTree);
      if (symbol < 16) { all.push(symbol); continue; }
      const again = symbol === 16 ? take(2) + 3 : symbol === 17 ? take(3) + 3 : take(7) + 11;
      const value = symbol === 16 ? all[all.length - 1] : 0;
      for (let n = 0; n < again; n++) all.push(value);
    }
    return [tree(all.slice(0, literals)), tree(all.slice(literals))];
  };
  const fixed = () => [tree(Array.from({ length: 288 }, (_, n) => (n < 144 ? 8 : n < 256 ? 9 : n < 280 ? 7 : 8))), tree(new Array(30).fill(5))];
  for (let last = 0; !last;) {
    last = take(1);
    const type = take(2);
    if (type === 0) {
      if (bit) { bit = 0; at++; }
      const length = bytes[at] | (bytes[at + 1] << 8);
      at += 4;
      for (let n = 0; n < length; n++) put(bytes[at++]);
      continue;
    }
    const [literalTree, distanceTree] = type === 1 ? fixed() : dynamic();
    for (let symbol = next(literalTree); symbol !== 256; symbol = next(literalTree)) {
      if (symbol < 256) { put(symbol); continue; }
      const length = lengthBase[symbol - 257] + take(lengthBits[symbol - 257]), code = next(distanceTree);
      const distance = distanceBase[code] + take(distanceBits[code]);
      for (let n = 0; n < length; n++) put(out[size - distance]);
    }
  }
  return out.subarray(0, size);
}

let data, hits, documents, firmYears, count;
const facets = {};   // name -> {codes: of each row, values, members: value of each code, labels}
const state = { view: "hits", firm: "", q: "", used: "", sort: "report", down: false };
let visible = new Int32Array(0), chosen = -1, note = "", base = "";

function label(kind, value) {
  const pair = (data.labels[kind] || {})[value];
  return pair ? (isChinese ? pair[0] : pair[1]) : value === "" ? "—" : value;
}

function prepare(text) {
  data = JSON.parse(text);
  ({ hits, firm_years: firmYears } = data);
  documents = hits.documents;
  count = hits.page.length;
  base = data.base;
  try { base = localStorage.getItem("shuzhi-reports") || base; } catch (error) { /* no storage from a file */ }
  for (const name of ["document", "page", "offset", "start", "length"]) hits[name] = Int32Array.from(hits[name], (value) => (value === null ? -1 : value));
  for (const name of ["dictionary", "dimension", "term", "section", "sentence", "kind"]) if (hits[name]) hits[name].codes = Int32Array.from(hits[name].codes);
  for (const name of ["dictionary", "dimension", "term", "section", "kind"]) {
    // An empty choice means all, so that a value that is empty goes by another name.
    if (hits[name]) facets[name] = { codes: hits[name].codes, values: hits[name].values.map((value) => value || NONE), show: (value) => label(name, value === NONE ? "" : value) };
  }
  const years = [...new Set(documents.year)].sort((one, other) => other - one);
  const yearOf = documents.year.map((year) => years.indexOf(year));
  facets.year = { codes: hits.document.map((row) => yearOf[row]), values: years.map((year) => (year === null ? NONE : String(year))), show: (value) => (value === NONE ? "—" : value) };
  facets.used = { codes: hits.document.map((row) => documents.used[row]), values: ["0", "1"], show: (value) => (value === "1" ? say("用于指数", "used") : say("未用", "not used")) };
  for (const name of ["index", "flag"]) {
    const packed = hits[name];
    facets[name] = { codes: Int32Array.from(packed.codes), sets: packed.sets, values: packed.members.map((member) => member[0]), show: (value) => value };
  }
  // Indices without a single hit are indices all the same.
  for (const name of Object.keys(firmYears.values)) if (!facets.index.values.includes(name)) facets.index.values.push(name);
  const flags = new Map(hits.flag.members.map((member) => [member[0], isChinese ? member[1] : member[2] || member[1]]));
  flags.set("none", say("无标记", "no flag"));
  const withNone = facets.flag.sets.map((set) => (set.length ? set : [facets.flag.values.length]));
  Object.assign(facets.flag, { bare: facets.flag.sets, sets: withNone, values: [...facets.flag.values, "none"], show: (value) => flags.get(value) });
  for (const name of Object.keys(facets)) state[name] = "";
}

// ---- filters -----------------------------------------------------------------------------------------------------

const firstIndex = () => Object.keys(firmYears.values)[0] || "";

function firmRows(text) {
  const typed = text.trim(), first = typed.split(/\s+/)[0];
  if (!typed) return null;
  const exact = documents.code.includes(first) || firmYears.code.includes(first);
  return (code, name) => (exact ? code === first : code.startsWith(typed) || name.includes(typed));
}

function allowed() {
  const filters = [], add = (name, codes, ok) => filters.push({ name, codes, ok });
  for (const [name, facet] of Object.entries(facets)) {
    if (!state[name]) continue;
    const at = facet.values.indexOf(state[name]);
    const ok = facet.sets ? Uint8Array.from(facet.sets, (set) => set.includes(at)) : Uint8Array.from(facet.values, (_, code) => code === at);
    add(name, facet.codes, ok);
  }
  const matches = firmRows(state.firm);
  if (matches) add("firm", hits.document, Uint8Array.from(documents.code, (code, row) => matches(code, documents.name[row])));
  const words = state.q.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) {
    add("q", hits.sentence.codes, Uint8Array.from(hits.sentence.values, (sentence) => {
      const text = sentence.toLowerCase();
      return words.every((word) => text.includes(word));
    }));
  }
  return filters;
}

function filter() {
  const began = performance.now(), filters = allowed(), found = new Int32Array(count), tallies = {};
  const names = Object.keys(facets);
  for (const name of names) tallies[name] = new Int32Array(facets[name].sets ? facets[name].sets.length : facets[name].values.length);
  let size = 0;
  for (let row = 0; row < count; row++) {
    let failed = "";
    let failures = 0;
    for (let n = 0; n < filters.length && failures < 2; n++) {
      if (!filters[n].ok[filters[n].codes[row]]) { failures++; failed = filters[n].name; }
    }
    if (failures === 0) {
      found[size++] = row;
      for (let n = 0; n < names.length; n++) tallies[names[n]][facets[names[n]].codes[row]]++;
    } else if (failures === 1 && tallies[failed]) tallies[failed][facets[failed].codes[row]]++;
  }
  visible = found.slice(0, size);
  sortRows();
  for (const name of names) fill(name, tallies[name]);
  show();
  document.body.dataset.filterMilliseconds = (performance.now() - began).toFixed(1);
}

const ranks = {};

function rank(name) {
  if (!ranks[name]) {
    const { values, codes } = facets[name], place = new Int32Array(values.length);
    [...values.keys()].sort((one, other) => order(facets[name].show(values[one]), facets[name].show(values[other]))).forEach((code, at) => { place[code] = at; });
    ranks[name] = codes.map((code) => place[code]);
  }
  return ranks[name];
}

function sortRows() {
  const key = state.sort, sign = state.down ? -1 : 1;
  if (key === "report") {
    if (state.down) visible.reverse();
    return;
  }
  const by = key === "page" ? hits.page : data.hits.scores[key] || rank(key);
  visible.sort((one, other) => sign * (by[one] - by[other]) || one - other);
}

function fill(name, tally) {
  const select = $(`select[name=${name}]`), facet = facets[name];
  if (!select) return;
  const counts = new Map(facet.values.map((value) => [value, 0]));
  tally.forEach((times, code) => {
    const values = facet.sets ? facet.sets[code].map((at) => facet.values[at]) : [facet.values[code]];
    for (const value of values) counts.set(value, counts.get(value) + times);
  });
  const shown = facet.values.filter((value) => counts.get(value) || value === state[name] || name === "index");
  if (name === "term") shown.sort((one, other) => counts.get(other) - counts.get(one) || order(one, other));
  else if (name !== "year" && name !== "index" && name !== "flag") shown.sort((one, other) => order(facet.show(one), facet.show(other)));
  const options = [new Option(say("全部", "all"), "")];
  for (const value of shown) options.push(new Option(`${facet.show(value)} (${whole(counts.get(value))})`, value));
  select.replaceChildren(...options);
  select.value = state[name];
  select.classList.toggle("active", state[name] !== "");
}

// ---- what is shown -------------------------------------------------------------------------------------------------

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

function parts(row, most) {
  const sentence = hits.sentence.values[hits.sentence.codes[row]], start = hits.start[row], end = start + hits.length[row];
  const before = sentence.slice(0, start);
  return [most && before.length > most ? "…" + before.slice(-most) : before, sentence.slice(start, end), sentence.slice(end)];
}

function marked(row, most) {
  const [before, hit, after] = parts(row, most);
  return [before, element("mark", {}, hit), after];
}

function flagsOf(row) {
  return facets.flag.bare[facets.flag.codes[row]].map((at) => facets.flag.show(facets.flag.values[at]));
}

function chips(row) {
  const made = flagsOf(row).map((text) => element("span", { class: "chip" }, text));
  if (hits.kind) made.unshift(element("span", { class: "chip kind" }, label("kind", text(row, "kind"))));
  return made;
}

const text = (row, name) => hits[name].values[hits[name].codes[row]];

function isSafe(place) {
  return !/^\s*[a-z][a-z0-9+.-]*:/i.test(place) || /^\s*(file|https?):/i.test(place);
}

function link(row) {
  const file = documents.file[hits.document[row]], page = hits.page[row];
  if (!isSafe(base)) return null;
  const place = base && !/[\/\\]$/.test(base) ? base + "/" : base;
  return place + file.split("/").map(encodeURIComponent).join("/") + (/\.pdf$/i.test(file) && page > 0 ? `#page=${page}` : "");
}

function makeRow(at) {
  const row = visible[at], of = hits.document[row];
  const made = element("div", { class: "row", role: "option", id: `row-${at}`, "aria-posinset": at + 1, "aria-setsize": visible.length, "aria-selected": at === chosen },
    element("div", { class: "who" }, element("span", { class: "one" }, documents.name[of] || documents.file[of]), element("span", { class: "quiet" }, [documents.code[of], documents.year[of]].filter(Boolean).join("  "))),
    element("div", { class: "page" }, String(hits.page[row])),
    element("div", {}, element("span", { class: "one" }, text(row, "term")), element("span", { class: "one quiet" }, text(row, "dimension"))),
    element("div", {}, element("span", { class: "said" }, ...marked(row, BEFORE))),
    element("div", { class: "where" }, element("span", { class: "one" }, label("section", text(row, "section"))), ...chips(row)));
  made.style.top = `${at * ROW}px`;
  made.style.height = `${ROW}px`;
  made.addEventListener("click", () => choose(at));
  made.addEventListener("dblclick", open);
  return made;
}

const scroll = $(".scroll"), space = $(".scroll .space");

function draw() {
  const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - SPARE);
  const last = Math.min(visible.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW) + SPARE);
  space.replaceChildren(...Array.from({ length: Math.max(0, last - first) }, (_, n) => makeRow(first + n)));
}

function show() {
  space.style.height = `${visible.length * ROW}px`;
  chosen = visible.length ? 0 : -1;
  scroll.scrollTop = 0;
  const reports = new Set();
  for (const row of visible) reports.add(hits.document[row]);
  const summary = [element("strong", {}, whole(visible.length)), ` / ${whole(count)} ` + say(`处命中，${whole(reports.size)} 份报告`, `hits in ${whole(reports.size)} reports`)];
  $("output").replaceChildren(...summary, note ? element("span", { class: "chip" }, note) : "");
  document.body.dataset.view = state.view;
  for (const list of document.querySelectorAll("[data-for]")) list.hidden = list.dataset.for !== state.view;
  for (const button of document.querySelectorAll("[data-view]")) button.setAttribute("aria-pressed", button.dataset.view === state.view);
  for (const button of document.querySelectorAll("[data-sort]")) {
    if (button.dataset.sort === state.sort) button.setAttribute("aria-sort", state.down ? "descending" : "ascending");
    else button.removeAttribute("aria-sort");
  }
  if (state.view === "values") { drawMatrix(true); return; }
  draw();
  detail();
  if (!visible.length) space.replaceChildren(element("div", { class: "empty" }, ...whyNothing()));
}

function whyNothing() {
  const matches = firmRows(state.firm);
  if (matches && state.year) {
    const at = firmYears.code.findIndex((code, row) => matches(code, firmYears.name[row]) && String(firmYears.year[row]) === state.year);
    const name = state.index || firstIndex();
    if (at < 0) return [element("p", {}, say("没有这家公司这一年的报告。", "There is no report of this firm and year."))];
    const value = (firmYears.values[name] || [])[at], reasons = firmYears.reasons[name];
    if (value === null || value === undefined) return [element("p", {}, say("该指数缺失，不是零：", "The index is missing, not zero: ") + (reasons ? reasons.values[reasons.codes[at]] : ""))];
    const command = `shuzhi evidence --stock-code ${firmYears.code[at]} --year ${state.year}`;
    if (value > 0 && data.held.why === "sample") {
      return [element("p", {}, say(`该指数为 ${value}，但本页的抽样不含这份报告。命令行查看：`, `The index is ${value}, but this page's sample leaves the report out. In a terminal: `), element("code", {}, command))];
    }
    if (value === 0) return [element("p", {}, say("该指数为零：报告已读取，没有命中。", "The index is zero: the report was read and has no hit."))];
  }
  return [element("p", {}, say("没有符合条件的命中。", "No hit fits."))];
}

function choose(at) {
  if (!visible.length) return;
  chosen = Math.max(0, Math.min(visible.length - 1, at));
  const top = chosen * ROW;
  if (top < scroll.scrollTop) scroll.scrollTop = top;
  else if (top + ROW > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + ROW - scroll.clientHeight;
  draw();
  detail();
}

function entry(list, zh, en, ...value) {
  if (value.some((each) => each !== "" && each !== null && each !== undefined)) list.append(element("dt", {}, say(zh, en)), element("dd", {}, ...value));
}

function hashOf(values) {
  return "#" + Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

function detail() {
  const aside = $("aside");
  scroll.setAttribute("aria-activedescendant", chosen < 0 ? "" : `row-${chosen}`);
  if (chosen < 0) { aside.replaceChildren(); return; }
  const row = visible[chosen], of = hits.document[row], place = link(row), list = element("dl");
  const code = documents.code[of], year = documents.year[of];
  entry(list, "词语", "term", text(row, "term"), element("span", { class: "quiet" }, `  ${text(row, "dictionary")} · ${text(row, "dimension")} · ${text(row, "rule")}`));
  entry(list, "章节", "section", label("section", text(row, "section")), text(row, "subsection") ? ` · ${label("section", text(row, "subsection"))}` : "");
  entry(list, "页码", "page", `${hits.page[row]}`, element("span", { class: "quiet" }, say(`  页内第 ${hits.offset[row] + 1} 字符`, `  character ${hits.offset[row] + 1}`)));
  if (hits.kind) entry(list, "性质", "kind", label("kind", text(row, "kind")));
  entry(list, "标记", "flags", ...flagsOf(row).map((flag) => element("span", { class: "chip" }, flag)));
  for (const [name, values] of Object.entries(hits.scores)) entry(list, name, name, values[row] === null ? "" : String(values[row]));
  for (const [name, packed] of Object.entries(hits.texts)) entry(list, name, name, packed.values[packed.codes[row]]);
  const entered = facets.index.sets[facets.index.codes[row]].map((at) => facets.index.values[at]);
  const links = entered.map((name) => element("a", { href: hashOf({ code, year, index: name }), style: "display:block" }, element("code", {}, name)));
  entry(list, "计入", "entered", ...(links.length ? links : [element("span", { class: "quiet" }, documents.used[of] ? say("未计入任何指数", "no index") : say("报告未用于指数", "the report is not used"))]));
  entry(list, "文件", "file", element("code", {}, documents.file[of]));
  const copy = element("button", { type: "button" }, say("复制引文 (c)", "copy citation (c)"));
  copy.addEventListener("click", () => toClipboard(citation(row), copy));
  const opener = place === null ? element("a", { class: "off" }, say("文件夹地址不可用", "bad folder")) : element("a", { href: place, target: "_blank", rel: "noopener noreferrer", "data-open": "" }, /\.pdf$/i.test(documents.file[of]) ? say(`打开原文第 ${hits.page[row]} 页`, `open page ${hits.page[row]}`) : say("打开原文", "open the report"));
  aside.replaceChildren(
    element("h2", {}, documents.name[of] || documents.file[of]),
    element("span", { class: "quiet" }, [code, year].filter(Boolean).join("  ")),
    element("blockquote", {}, ...marked(row, 0)),
    element("div", { class: "actions" }, opener, copy),
    list, folder());
}

function folder() {
  const input = element("input", { value: base, spellcheck: "false", placeholder: "../reports/" });
  input.addEventListener("change", () => {
    base = input.value.trim();
    try { localStorage.setItem("shuzhi-reports", base); } catch (error) { /* no storage from a file */ }
    detail();
  });
  return element("details", base ? {} : { open: "" }, element("summary", {}, say("报告所在文件夹", "folder of the reports")), element("label", {}, input));
}

function citation(row) {
  const of = hits.document[row], [before, hit, after] = parts(row, 0);
  const who = `${documents.name[of] || documents.file[of]}${documents.code[of] ? `（${documents.code[of]}）` : ""}`;
  return say(`${who}${documents.year[of] || ""} 年年度报告，第 ${hits.page[row]} 页：“${before}【${hit}】${after}”`, `${who} annual report ${documents.year[of] || ""}, p. ${hits.page[row]}: “${before}【${hit}】${after}”`);
}

function open() {
  const opener = $("aside a[data-open]");
  if (opener) opener.click();
}

async function toClipboard(content, button) {
  try {
    await navigator.clipboard.writeText(content);
  } catch (error) {
    const area = element("textarea", { style: "position:fixed;opacity:0" });
    area.value = content;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const before = button.textContent;
  button.textContent = say("已复制", "copied");
  document.body.dataset.copied = content;
  setTimeout(() => { button.textContent = before; }, 1200);
}

const COLUMNS = ["stock_code", "company_name", "report_year", "file", "page", "dictionary", "dimension", "term", "section", "flags", "kind", "sentence"];

function cells(row) {
  const of = hits.document[row], [before, hit, after] = parts(row, 0);
  const values = [documents.code[of], documents.name[of], documents.year[of], documents.file[of], hits.page[row], text(row, "dictionary"), text(row, "dimension"), text(row, "term"), text(row, "section"), flagsOf(row).join("; "), hits.kind ? text(row, "kind") : "", `${before}【${hit}】${after}`];
  // As in all our CSV files: no spreadsheet may run a cell as a formula.
  return values.map((value) => (typeof value === "string" ? value.replace(/^('*[=+\-@\t\r\n＝＋－＠])/, "'$1").replace(/[\t\r\n]+/g, " ") : value === null ? "" : String(value)));
}

function table(separator, rows) {
  const quoted = (value) => (separator === "," ? `"${value.replace(/"/g, '""')}"` : value);
  return [COLUMNS, ...Array.from(rows, cells)].map((row) => row.map(quoted).join(separator)).join("\r\n") + "\r\n";
}

function download() {
  const made = URL.createObjectURL(new Blob(["\ufeff", table(",", visible)], { type: "text/csv" }));
  element("a", { href: made, download: "evidence.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(made), 10000);
}

// ---- the indices: a number for each firm and year, each a link to its sentences ---------------------------------

let firms = [], shownYears = [];
const matrix = $(".matrix"), matrixSpace = $(".matrix .space");

function drawMatrix(isNew) {
  const name = state.index || firstIndex(), values = firmYears.values[name] || [], reasons = firmYears.reasons[name];
  if (isNew) {
    const matches = firmRows(state.firm), found = new Map();
    firmYears.code.forEach((code, row) => {
      if (matches && !matches(code, firmYears.name[row])) return;
      if (!found.has(code)) found.set(code, { code, years: new Map() });
      found.get(code).name = firmYears.name[row] || found.get(code).name;
      found.get(code).years.set(firmYears.year[row], row);
    });
    firms = [...found.values()];
    shownYears = state.year ? [Number(state.year)] : [...new Set(firmYears.year)].sort((one, other) => one - other);
    const head = matrix.querySelector(".years");
    head.replaceChildren(element("span", { class: "name" }, element("code", {}, name || "")), ...shownYears.map((year) => element("span", { class: "value" }, String(year))));
    matrixSpace.style.height = `${firms.length * MATRIX_ROW}px`;
  }
  const columns = `15rem repeat(${shownYears.length}, 4.2rem)`;
  matrix.querySelector(".years").style.gridTemplateColumns = columns;
  const top = Math.max(0, matrix.scrollTop - MATRIX_ROW), first = Math.max(0, Math.floor(top / MATRIX_ROW) - SPARE);
  const last = Math.min(firms.length, Math.ceil((top + matrix.clientHeight) / MATRIX_ROW) + SPARE);
  matrixSpace.replaceChildren(...firms.slice(first, last).map((firm, n) => {
    const made = element("div", { class: "firm" }, element("span", { class: "name", title: firm.name || "" }, `${firm.code}  ${firm.name || ""}`));
    for (const year of shownYears) {
      const row = firm.years.get(year), value = row === undefined ? null : values[row];
      const why = row === undefined ? say("无报告", "no report") : reasons ? reasons.values[reasons.codes[row]] : "";
      made.append(element("span", { class: "value" }, value === null || value === undefined
        ? element("span", { class: "quiet", title: why }, row === undefined ? "" : "—")
        : element("a", { href: hashOf({ code: firm.code, year, index: name }), class: value ? null : "zero" }, whole(value))));
    }
    made.style.gridTemplateColumns = columns;
    made.style.top = `${(first + n) * MATRIX_ROW}px`;
    return made;
  }));
  $("output").replaceChildren(element("strong", {}, whole(firms.length)), say(` 家公司；词频，点数字看原句；“—”为缺失，不是零`, ` firms; counts: choose a number for its sentences; — is missing, never zero`));
}

// ---- the address: any choice is a link ---------------------------------------------------------------------------

function read() {
  const given = new Map(location.hash.slice(1).split("&").filter(Boolean).map((pair) => {
    const at = pair.indexOf("=");
    const plain = (part) => { try { return decodeURIComponent(part.replace(/\+/g, " ")); } catch (error) { return part; } };
    return at < 0 ? [plain(pair), ""] : [plain(pair.slice(0, at)), plain(pair.slice(at + 1))];
  }));
  note = "";
  state.firm = given.get("code") || given.get("firm") || "";
  state.q = given.get("q") || "";
  state.view = given.get("view") === "values" ? "values" : "hits";
  const sort = given.get("sort") || "report";
  state.down = sort.startsWith("-");
  state.sort = sort.replace(/^-/, "");
  if (!["report", "page", "term", "section"].includes(state.sort) && !hits.scores[state.sort]) state.sort = "report";
  for (const name of Object.keys(facets)) {
    let value = given.get(name) || "";
    if (name === "index") {
      const measure = data.measures.find((each) => value.endsWith("_" + each));
      if (measure && !facets.index.values.includes(value)) value = value.slice(0, -measure.length - 1);
    }
    if (value && !facets[name].values.includes(value)) {
      // A year without a hit is still a year: the list then says why it is empty.
      if (name === "year" && firmYears.year.includes(Number(value))) facets.year.values.push(value);
      else { note = say(`本页没有 ${name} = ${value}`, `this page has no ${name} = ${value}`); value = ""; }
    }
    state[name] = value;
  }
  for (const name of ["firm", "q"]) {
    const input = $(`input[name=${name}]`);
    if (input.value !== state[name]) input.value = state[name];
    input.classList.toggle("active", state[name] !== "");
  }
  if (state.view === "values" && !state.index) state.index = firstIndex();
  filter();
}

function write() {
  const first = state.firm.trim().split(/\s+/)[0], isCode = firmYears.code.includes(first) || documents.code.includes(first);
  const values = { code: isCode ? first : "", firm: isCode ? "" : state.firm.trim() };
  for (const name of Object.keys(facets)) values[name] = state[name];
  Object.assign(values, { q: state.q.trim(), view: state.view === "values" ? "values" : "", sort: state.sort === "report" && !state.down ? "" : (state.down ? "-" : "") + state.sort });
  const hash = hashOf(values);
  history.replaceState(null, "", hash === "#" ? location.href.split("#")[0] : hash);
}

function change(name, value) {
  note = "";
  state[name] = value;
  if (state.view === "values" && !state.index) state.index = firstIndex();
  const input = $(`input[name=${name}]`);
  if (input) input.classList.toggle("active", value.trim() !== "");
  write();
  filter();
}

let waiting = 0;

function listen() {
  $("form").addEventListener("submit", (event) => event.preventDefault());
  $("form").addEventListener("change", (event) => { if (event.target.tagName === "SELECT") change(event.target.name, event.target.value); });
  $("form").addEventListener("input", (event) => {
    if (event.target.tagName !== "INPUT") return;
    clearTimeout(waiting);
    waiting = setTimeout(() => change(event.target.name, event.target.value), 120);
  });
  document.querySelectorAll("[data-sort]").forEach((button) => button.addEventListener("click", () => {
    state.down = state.sort === button.dataset.sort ? !state.down : false;
    state.sort = button.dataset.sort;
    write();
    filter();
  }));
  document.querySelectorAll("[data-view]").forEach((button) => button.addEventListener("click", () => change("view", button.dataset.view)));
  $("[data-do=clear]").addEventListener("click", () => { history.replaceState(null, "", location.href.split("#")[0]); read(); });
  $("[data-do=copy]").addEventListener("click", (event) => toClipboard(table("\t", visible.slice(0, COPIED)), event.currentTarget));
  $("[data-do=csv]").addEventListener("click", download);
  scroll.addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  matrix.addEventListener("scroll", () => requestAnimationFrame(() => drawMatrix(false)), { passive: true });
  window.addEventListener("resize", () => (state.view === "values" ? drawMatrix(false) : visible.length && draw()));
  window.addEventListener("hashchange", read);
  document.addEventListener("keydown", keyboard);
  window.addEventListener("beforeprint", () => {
    const rows = Array.from(visible.slice(0, PRINTED), (_, at) => makeRow(at));
    rows.forEach((row) => row.removeAttribute("style"));
    const rest = visible.length > PRINTED ? [element("p", {}, say(`印出前 ${PRINTED} 处，共 ${whole(visible.length)} 处。`, `The first ${PRINTED} of ${whole(visible.length)} are printed.`))] : [];
    scroll.append(element("div", { class: "printed" }, ...rows, ...rest));
  });
  window.addEventListener("afterprint", () => document.querySelectorAll(".printed").forEach((each) => each.remove()));
}

function keyboard(event) {
  const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !isTyping) { event.preventDefault(); $("input[name=q]").focus(); return; }
  if (event.key === "Escape" && isTyping) { scroll.focus(); return; }
  if (isTyping || state.view !== "hits") return;
  const page = Math.max(1, Math.floor(scroll.clientHeight / ROW) - 1), isList = event.target === scroll || event.target === document.body;
  const moves = { ArrowDown: chosen + 1, j: chosen + 1, ArrowUp: chosen - 1, k: chosen - 1, PageDown: chosen + page, PageUp: chosen - page, Home: 0, End: visible.length - 1 };
  if (isList && event.key in moves) { event.preventDefault(); choose(moves[event.key]); }
  else if (isList && event.key === "Enter") open();
  else if (event.key === "c" && chosen >= 0) toClipboard(citation(visible[chosen]), $("aside .actions button"));
}

function suggestFirms() {
  const known = new Map();
  firmYears.code.forEach((code, row) => { if (code) known.set(code, firmYears.name[row]); });
  documents.code.forEach((code, row) => { if (code && !known.has(code)) known.set(code, documents.name[row]); });
  $("#firms").replaceChildren(...[...known].sort().map(([code, name]) => new Option("", `${code} ${name}`)));
}

unpack($("#data").textContent).then((text) => {
  $("#data").remove();
  prepare(text);
  suggestFirms();
  listen();
  read();
  document.body.dataset.readyMilliseconds = performance.now().toFixed(1);
  document.body.dataset.scriptMilliseconds = (performance.now() - started).toFixed(1);
}).catch((error) => {
  $("main").replaceChildren(element("p", { class: "empty" }, say("本页的数据无法读取：", "The data of this page cannot be read: ") + String(error)));
  throw error;
});
})();
