"use strict";
const times = new Set(["at", "connected_at", "last_active_at"]);

function text(column, value) {
  if (value === null || value === undefined) return "";
  if (times.has(column)) return new Date(value).toLocaleTimeString();
  if (typeof value === "boolean") return value ? "yes" : "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function mood(column, value, row) {
  if (column === "status") return value >= 400 ? "bad" : value ? "good" : "";
  if (column === "error" || column === "fault") return "bad";
  if (column === "waiting" && row.dead_letter && value > 0) return "bad";
  return "";
}

function address(column, row) {
  if (column === "queue" && row.dead_letter) return "/_local/dead-letters/" + encodeURIComponent(row.queue);
  if (column === "subject" && row.id) return "/_local/mails/" + encodeURIComponent(row.id);
  return null;
}

function scanButton(row) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "scan";
  button.addEventListener("click", async () => {
    button.disabled = true;
    await fetch("/_local/sandbox/evolution/scan", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ server: row.server, instance: row.instance }),
    });
  });
  return button;
}

function cell(column, row) {
  const td = document.createElement("td");
  const value = row[column];
  td.className = mood(column, value, row);
  td.title = text(column, value);
  if (column === "scan") {
    if (row.state === "connecting") td.append(scanButton(row));
    return td;
  }
  const href = address(column, row);
  if (href) {
    const link = document.createElement("a");
    link.href = href;
    link.textContent = text(column, value) || "(none)";
    td.append(link);
  } else {
    td.textContent = text(column, value);
  }
  return td;
}

function show(state) {
  for (const table of document.querySelectorAll("table")) {
    const rows = state[table.dataset.key] || [];
    const columns = [...table.querySelectorAll("th")].map((th) => th.dataset.column);
    const body = document.createElement("tbody");
    for (const row of rows) {
      const tr = document.createElement("tr");
      tr.append(...columns.map((column) => cell(column, row)));
      body.append(tr);
    }
    if (rows.length === 0) {
      const td = document.createElement("td");
      td.colSpan = columns.length;
      td.className = "empty";
      td.textContent = "none";
      body.append(document.createElement("tr"));
      body.lastChild.append(td);
    }
    table.replaceChild(body, table.tBodies[0]);
    document.querySelector(`[data-count="${table.dataset.key}"]`).textContent = rows.length || "";
  }
}

const fresh = document.getElementById("fresh");
async function refresh() {
  try {
    if (!document.hidden) {
      const response = await fetch("/_local/state");
      show(await response.json());
    }
    fresh.className = "";
    fresh.textContent = "live";
  } catch {
    fresh.className = "lost";
    fresh.textContent = "stopped";
  }
  setTimeout(refresh, 1500);
}

for (const button of document.querySelectorAll("dd button")) {
  button.addEventListener("click", async () => {
    const response = await fetch("/_local/info?secrets=true");
    const fact = button.parentElement.querySelector("[data-fact]");
    fact.textContent = (await response.json())[fact.dataset.fact];
    button.remove();
  });
}

show(JSON.parse(document.getElementById("state").textContent));
setTimeout(refresh, 1500);
