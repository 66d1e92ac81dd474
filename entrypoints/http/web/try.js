// Lets every operation on /docs be tried from the page: a form for each, and what is answered.
//
// The page is complete without this script, which only adds to it. The API key is in its input
// alone: never stored, never in an address, and gone with the page. Nothing is ever written as
// HTML; the page's policy would not allow it.

const HEADERS_SHOWN = [
  "switchyard-version", "x-request-id", "idempotent-replayed", "location", "link", "ratelimit",
  "ratelimit-policy", "retry-after",
];
const DEPTH_MAX = 16;
const WAIT_MS = 30_000;

/** Return a value that a schema allows: what it needs, and what it has an example of. */
export function sample(api, schema, needed = true, depth = 0) {
  const within = (part, wanted) => sample(api, part, wanted, depth + 1);
  if (depth > DEPTH_MAX) return undefined;
  if (schema.$ref) return within(api.components.schemas[schema.$ref.split("/").pop()], needed);
  if (schema.examples) return schema.examples[0];
  if (schema.anyOf) return within(schema.anyOf[0], needed);
  if ("const" in schema) return schema.const;
  if (schema.type === "object") {
    const members = Object.entries(schema.properties ?? {})
      .map(([name, part]) => [name, within(part, (schema.required ?? []).includes(name))])
      .filter(([, value]) => value !== undefined);
    return members.length || needed ? Object.fromEntries(members) : undefined;
  }
  if (schema.type === "array") {
    const item = within(schema.items, needed);
    if (item !== undefined) return [item];
  }
  if (!needed) return undefined;
  if (schema.enum) return schema.enum[0];
  return { array: [], boolean: false, integer: schema.minimum ?? 0, string: "" }[schema.type];
}

/** Return the operations of a document by their ids, with what they share written out. */
export function operationsOf(api) {
  const found = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const parameters = operation.parameters.map((each) =>
        each.$ref ? api.components.parameters[each.$ref.split("/").pop()] : each);
      const body = operation.requestBody?.content["application/json"].schema;
      found.set(operation.operationId, {
        method: method.toUpperCase(), path, parameters, body,
        keyed: operation.security.length > 0,
      });
    }
  }
  return found;
}

/** Return what is to be sent; `fields` are texts in the parameters' order, empty if left out. */
export function requestFor(operation, { key, fields, body }) {
  const headers = {}, query = new URLSearchParams();
  let { path } = operation;
  operation.parameters.forEach(({ name, in: place, required, schema }, index) => {
    const text = fields[index].trim();
    if (!text) {
      if (required) throw new Error(`${name} is needed.`);
    } else if (place === "path") {
      if (/^\.{1,2}$/.test(text)) throw new Error(`${name} cannot be ${text}`);
      path = path.replace(`{${name}}`, () => encodeURIComponent(text));
    } else if (place === "header") {
      headers[name] = text;
    } else {
      const words = schema.type === "array" ? text.split(",") : [text];
      for (const word of words) query.append(name, word.trim());
    }
  });
  if (operation.keyed) {
    if (!key.trim()) throw new Error("An API key is needed: its field is at the top.");
    headers.Authorization = `Bearer ${key.trim()}`;
  }
  const sent = { method: operation.method, headers };
  if (operation.body && body.trim()) {
    JSON.parse(body);
    headers["Content-Type"] = "application/json";
    sent.body = body;
  }
  return { url: query.size ? `${path}?${query}` : path, sent };
}

/** Tell whether a text has every word that is looked for. */
export function fits(words, text) {
  const lower = text.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => lower.includes(word));
}

/** Return an answer as it is shown. */
export function shown({ status, statusText, headers }, text, milliseconds) {
  const told = HEADERS_SHOWN.filter((name) => headers.has(name))
    .map((name) => `${name}: ${headers.get(name)}`);
  let pretty = text;
  try {
    pretty = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // It is no JSON: it is shown as it came.
  }
  const first = `${status} ${statusText}`.trim();
  return [`${first} (${Math.round(milliseconds)} ms)`, ...told, "", pretty].join("\n").trim();
}

function idempotencyKey() {
  // randomUUID is only there over HTTPS and on this machine.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function labelled(text, input) {
  return element("label", {}, element("span", { textContent: text }), input);
}

function inputFor({ name, in: place, required, schema }) {
  const value = name === "Idempotency-Key" ? idempotencyKey()
    : place === "path" && schema.examples ? String(schema.examples[0]) : "";
  const input = element("input", { type: "text", autocomplete: "off", spellcheck: false, value });
  input.required = required;
  input.placeholder = schema.default === undefined ? "" : String(schema.default);
  return input;
}

async function answer(request) {
  const began = performance.now();
  const response = await fetch(request.url, {
    ...request.sent,
    cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(WAIT_MS),
  });
  const text = await response.text();
  return shown(response, text, performance.now() - began);
}

function formOf(api, operation, keyInput) {
  const inputs = operation.parameters.map(inputFor);
  const body = element("textarea", { spellcheck: false, rows: 8 });
  if (operation.body) body.value = JSON.stringify(sample(api, operation.body), null, 2);
  const send = element("button", { type: "submit", textContent: "Send" });
  const told = element("pre", { className: "told", ariaLive: "polite", hidden: true });
  const rows = operation.parameters.map((each, index) =>
    labelled(`${each.name} (${each.in}${each.required ? ", required" : ""})`, inputs[index]));
  if (operation.body) rows.push(labelled("Body", body));
  const properties = { className: "try", noValidate: true, autocomplete: "off" };
  const form = element("form", properties, ...rows, send, told);
  const once = inputs[operation.parameters.findIndex((it) => it.name === "Idempotency-Key")];
  form.addEventListener("input", (event) => {
    // What is changed is another request, and a key is good for one.
    if (once && event.target !== once) once.value = idempotencyKey();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    told.hidden = false;
    try {
      const fields = inputs.map((each) => each.value);
      const request = requestFor(operation, { key: keyInput.value, fields, body: body.value });
      const live = keyInput.value.trim().startsWith("sy_live_") && operation.method !== "GET";
      if (live && !confirm("This is a live key: what is done is done with real money.")) return;
      send.disabled = true;
      told.textContent = "…";
      told.textContent = await answer(request);
    } catch (error) {
      told.textContent = `Not sent, or not answered: ${error.message}`;
    } finally {
      send.disabled = false;
    }
  });
  return form;
}

function filter(words) {
  for (const group of document.querySelectorAll("section.group")) {
    const operations = [...group.querySelectorAll("details")];
    for (const each of operations) {
      each.hidden = !fits(words, `${each.id} ${each.querySelector("summary").textContent}`);
    }
    group.hidden = operations.every((each) => each.hidden);
  }
}

function openNamed() {
  const named = document.getElementById(location.hash.slice(1));
  if (named?.tagName === "DETAILS") named.open = true;
}

async function start() {
  const api = await (await fetch("/openapi.json", { credentials: "omit" })).json();
  const operations = operationsOf(api);
  const key = element("input", { type: "password", autocomplete: "off" });
  const search = element("input", { type: "search", autocomplete: "off" });
  search.addEventListener("input", () => filter(search.value));
  addEventListener("pagehide", () => { key.value = ""; });
  const bar = element("div", { className: "bar" },
    labelled("API key (kept on this page alone)", key), labelled("Search", search));
  document.querySelector("section.group").before(bar);
  for (const details of document.querySelectorAll("section.group details")) {
    details.addEventListener("toggle", () => {
      if (!details.open || details.querySelector("form")) return;
      details.append(formOf(api, operations.get(details.id), key));
    });
  }
  addEventListener("hashchange", openNamed);
  openNamed();
}

if (globalThis.document) start();
