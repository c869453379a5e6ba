"use strict";
const at = (id) => document.getElementById(id);
// It is gone with the page.
let token = null;
let flows = [];
let run = {};

async function call(method, path, body) {
  const headers = { "content-type": "application/json", "accept-language": "en" };
  if (token) headers.authorization = `Bearer ${token}`;
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error([answer.detail, ...(answer.errors || []).map((error) => `${error.field}: ${error.message}`)].join(" "));
  return answer;
}

// Does something whose failure is shown.
function attempt(action) {
  return async () => {
    at("trouble").textContent = "";
    try {
      await action();
    } catch (error) {
      at("trouble").textContent = error.message;
    }
  };
}

function element(name, text, of) {
  const made = document.createElement(name);
  made.textContent = text;
  if (of) made.className = of;
  return made;
}

function button(text, action) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", attempt(action));
  return made;
}

function tell(text, who) {
  const line = element("li", text, who);
  at("talk").append(line);
  line.scrollIntoView({ block: "nearest" });
  return line;
}

function showVersions() {
  const flow = flows.find((known) => known.key === at("flow").value);
  const options = [];
  if (flow && flow.has_draft) options.push(new Option("draft", ""));
  if (flow && flow.published_number) options.push(new Option(`published, ${flow.published_number}`, flow.published_number));
  at("version").replaceChildren(...options);
  begin();
}

function begin() {
  const fields = at("fields").value.trim();
  run = { fields: fields ? JSON.parse(fields) : {} };
  at("talk").replaceChildren();
  at("trace").replaceChildren();
  at("ways").replaceChildren();
  at("run").textContent = "";
}

async function play(event, said) {
  const world = { client_name: at("client").value || "Maria", channel_kind: at("channel").value };
  if (at("at").value) world.at = new Date(at("at").value).toISOString();
  const turn = { key: at("flow").value, run, event, world };
  if (at("version").value) turn.number = Number(at("version").value);
  const played = await call("POST", "/bot/simulate", turn);
  for (const line of said) tell(line, "client");
  run = played.run;
  for (const saying of played.says) show(saying);
  for (const effect of played.effects) tell(JSON.stringify(effect), "note");
  const steps = played.trace.map((step) => element("li", `${step.node}: ${step.outcome}`));
  at("trace").append(...steps, element("li", `→ ${played.next}${played.until ? ` until ${played.until}` : ""}`, "good"));
  at("run").textContent = JSON.stringify(run, null, 2);
  at("ways").replaceChildren(...ways(played.next));
  if (["handover", "close"].includes(played.next)) tell(played.next === "close" ? "the conversation is closed" : "people take over", "note");
}

function show(saying) {
  const line = tell(saying.file_id ? `[${saying.kind}] ${saying.text}` : saying.text, "bot");
  for (const option of saying.payload.options || []) {
    const tap = { kind: "tap", option_id: option.id, title: option.title };
    line.append(document.createElement("br"), button(option.title, () => play(tap, [option.title])));
  }
}

// What else may happen: a server that is asked is played by whoever looks.
function ways(next) {
  if (next !== "call") return [];
  const answer = element("input", "");
  answer.value = "{}";
  answer.setAttribute("aria-label", "what the server answers, as JSON");
  const answers = () => play({ kind: "called", ok: true, body: JSON.parse(answer.value) }, []);
  return [answer, button("it answers this", answers), button("it does not answer", () => play({ kind: "called", ok: false }, []))];
}

at("enter").addEventListener("click", attempt(async () => {
  const signedIn = await call("POST", "/auth/login", { email: at("email").value, password: at("password").value });
  if (!signedIn.access_token) throw new Error("This person has a second factor: choose somebody without one.");
  token = signedIn.access_token;
  at("password").value = "";
  flows = (await call("GET", "/bot/flows")).data;
  at("flow").replaceChildren(...flows.map((flow) => new Option(`${flow.name} (${flow.key})`, flow.key)));
  showVersions();
  at("entrance").hidden = true;
  at("stage").hidden = false;
}));
at("say").addEventListener("click", attempt(async () => {
  const says = at("words").value.split("\n").map((line) => line.trim()).filter((line) => line);
  if (says.length === 0) return;
  await play(says.length === 1 ? { kind: "text", text: says[0] } : { kind: "says", says }, says);
  at("words").value = "";
}));
at("file").addEventListener("click", attempt(() => play({ kind: "file" }, ["[file]"])));
at("time").addEventListener("click", attempt(() => play({ kind: "time" }, ["(time passes)"])));
at("begin").addEventListener("click", attempt(async () => begin()));
at("flow").addEventListener("change", attempt(async () => showVersions()));
at("version").addEventListener("change", attempt(async () => begin()));
