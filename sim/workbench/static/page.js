"use strict";
// The live page: draws what /events says, sends keys and cards as plain POSTs.

const KEYS = [
  ["1", "1"], ["2", "2"], ["3", "3"], ["CLEAR", "清除"],
  ["4", "4"], ["5", "5"], ["6", "6"], ["PLUS", "＋"],
  ["7", "7"], ["8", "8"], ["9", "9"], ["TIMES", "×"],
  ["DOT", "."], ["0", "0"], ["END", "结束"], ["OK", "确认"],
];
const MOST_MOVEMENTS = 50;
const boards = new Map();

function post(path) {
  fetch(path, { method: "POST" }).then(answer => { if (!answer.ok) answer.text().then(say); }, () => say("没有连上 · not connected"));
}

function say(text) { document.getElementById("link").textContent = text; }

function button(label, act, name) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  if (name) made.setAttribute("aria-label", name);
  made.addEventListener("click", act);
  return made;
}

function build(state) {
  const section = document.getElementById("board").content.cloneNode(true).firstElementChild;
  const at = "/boards/" + encodeURIComponent(state.name);
  section.querySelector("h2").textContent = state.title;
  const keys = section.querySelector(".keys");
  for (const [key, label] of KEYS) {
    const made = button(label, () => post(`${at}/keys/${key}`), key);
    if (key.length > 1) made.className = "wide";
    keys.append(made);
  }
  const cards = section.querySelector(".cards");
  for (const card of state.cards) {
    const made = button(`卡 ${card.number} ${card.holder}`, () => post(`${at}/card/${made.getAttribute("aria-pressed") === "true" ? 0 : card.number}`));
    made.dataset.card = card.number;
    cards.append(made);
  }
  section.querySelector(".power").append(button("断电 / 上电 power", () => post(`${at}/power`)));
  document.getElementById("boards").append(section);
  boards.set(state.name, section);
  return section;
}

// Each double-width character gets a cell of two columns, whatever font the reader has.
function draw(screen, lines) {
  screen.replaceChildren();
  lines.forEach((line, row) => {
    if (row) screen.append("\n");
    for (const character of line) {
      if (character.codePointAt(0) > 0xff) {
        const cell = document.createElement("span");
        cell.textContent = character;
        screen.append(cell);
      } else screen.append(character);
    }
  });
}

function show(state) {
  const section = boards.get(state.name) || build(state);
  draw(section.querySelector(".lcd"), state.lines);
  section.classList.toggle("off", !state.powered);
  const line = section.querySelector(".state");
  const parts = [];
  if (!state.powered) parts.push("没电 · no power");
  else if (state.valve !== null) parts.push(state.valve ? `出水 ${state.litres} 升 · water` : `阀门关 ${state.litres} 升 · shut`);
  if (state.beep) parts.push(`蜂鸣 ${state.beep} · beep`);
  line.textContent = parts.join("　");
  line.classList.toggle("flowing", Boolean(state.valve));
  for (const made of section.querySelectorAll("[data-card]")) made.setAttribute("aria-pressed", String(Number(made.dataset.card) === state.card));
}

function movement(row) {
  document.getElementById("no-movements").hidden = true;
  const line = document.createElement("tr");
  for (const text of [row.record, row.from, row.to, row.yuan]) {
    const cell = document.createElement("td");
    cell.textContent = text;
    line.append(cell);
  }
  line.lastElementChild.className = "number";
  const body = document.getElementById("movements");
  body.prepend(line);
  while (body.children.length > MOST_MOVEMENTS) body.lastElementChild.remove();
}

const events = new EventSource("/events");
events.addEventListener("open", () => say("已连接 · live"));
events.addEventListener("error", () => say("断开，正在重连… · reconnecting"));
events.addEventListener("boards", event => JSON.parse(event.data).forEach(show));
events.addEventListener("movements", event => { document.getElementById("movements").replaceChildren(); JSON.parse(event.data).forEach(movement); });
