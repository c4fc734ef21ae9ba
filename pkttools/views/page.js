"use strict";
// Links bytes and fields of a packet, by pointer and by keyboard. What it reads in the page it only compares, and sets as text.

const packetOf = element => element.closest(".packet");
const linked = element => element instanceof Element ? element.closest(".parts [data-f]") : null;

// Lights all that has to do with an element's fields; nothing without one.
function light(packet, element) {
  for (const lit of packet.querySelectorAll(".lit")) {
    lit.classList.remove("lit");
    if (lit.hasAttribute("aria-selected")) lit.setAttribute("aria-selected", "false");
  }
  if (!element) return;
  for (const field of element.dataset.f.split(" ")) {
    for (const other of packet.querySelectorAll(`[data-f~="${field}"]`)) {
      other.classList.add("lit");
      if (other.hasAttribute("aria-selected")) other.setAttribute("aria-selected", "true");
    }
  }
}

// Gives a packet that is opened its roles and its stops for the keyboard: one in the bytes, one in the fields.
function prepare(packet) {
  if (packet.dataset.ready) return;
  packet.dataset.ready = "yes";
  const bytes = packet.querySelector(".bytes"), fields = packet.querySelector(".fields");
  const names = new Map();
  for (const row of fields.querySelectorAll("tr[data-f]")) {
    const header = row.parentElement.rows[0].cells[0].firstChild.data.trim();
    names.set(row.dataset.f, `${header} ${row.cells[0].textContent}`.trim());
    row.setAttribute("aria-selected", "false");
  }
  for (const part of [bytes, fields]) {
    part.setAttribute("role", "grid");
    part.setAttribute("aria-label", part.dataset.label);
    const stops = part.querySelectorAll("[data-f]");
    stops.forEach((stop, index) => stop.tabIndex = index ? -1 : 0);
  }
  for (const line of bytes.children) line.setAttribute("role", "row");
  for (const offset of bytes.querySelectorAll(".offset")) offset.setAttribute("role", "rowheader");
  for (const characters of bytes.querySelectorAll(".characters")) characters.setAttribute("role", "gridcell");
  for (const cell of bytes.querySelectorAll("b")) {
    const all = cell.dataset.f.split(" ").map(field => names.get(field)).filter(Boolean).join(", ");
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-selected", "false");
    cell.setAttribute("aria-label", `${cell.textContent}, byte ${cell.dataset.at}, ${all}`);
  }
}

// Puts the keyboard's stop of its part to an element, and goes there.
function go(element) {
  if (!element) return;
  const part = element.closest(".bytes, .fields");
  if (part) {
    for (const stop of part.querySelectorAll('[tabindex="0"]')) stop.tabIndex = -1;
    element.tabIndex = 0;
  }
  element.focus();
}

// The bytes above or below: those at the same place in the line, or the last ones.
function beside(cell, line) {
  const place = cell.dataset.at % 16;
  return line && [...line.querySelectorAll("b")].filter(other => other.dataset.at % 16 <= place).pop();
}

function target(element, key) {
  const packet = packetOf(element), part = element.closest(".bytes, .fields");
  if (key === "Escape") return packet.querySelector("summary");
  if (!part) {
    if (element.tagName !== "SUMMARY") return null;
    const all = [...document.querySelectorAll(".packet > summary")], at = all.indexOf(element);
    return {ArrowDown: all[at + 1], ArrowUp: all[at - 1], Home: all[0], End: all.at(-1)}[key];
  }
  const stops = [...part.querySelectorAll("[data-f]")], at = stops.indexOf(element);
  if (key === "Home") return stops[0];
  if (key === "End") return stops.at(-1);
  const fields = element.dataset.f.split(" ");
  if (part.classList.contains("fields")) {
    if (key === "Enter") return packet.querySelector(`.bytes [data-f~="${fields[0]}"]`);
    return {ArrowDown: stops[at + 1], ArrowUp: stops[at - 1]}[key];
  }
  if (key === "Enter") return packet.querySelector(`.fields [data-f="${fields.at(-1)}"]`);
  return {
    ArrowRight: stops[at + 1], ArrowLeft: stops[at - 1],
    ArrowDown: beside(element, element.parentElement.nextElementSibling),
    ArrowUp: beside(element, element.parentElement.previousElementSibling),
  }[key];
}

document.addEventListener("keydown", event => {
  const element = event.target.closest(".parts [data-f], .packet > summary");
  if (!element || event.ctrlKey || event.altKey || event.metaKey) return;
  const next = target(element, event.key);
  if (!next) return;
  event.preventDefault();
  go(next);
});

document.addEventListener("focusin", event => {
  const element = linked(event.target);
  if (!element) return;
  const packet = packetOf(element);
  light(packet, element);
  const other = packet.querySelector(element.closest(".bytes") ? ".fields .lit" : ".bytes .lit");
  if (other) other.scrollIntoView({block: "nearest"});
});

document.addEventListener("pointerover", event => {
  const element = linked(event.target);
  if (element) light(packetOf(element), element);
});

// Where the pointer leaves, what the keyboard is at is lit again.
document.addEventListener("pointerout", event => {
  const element = linked(event.target);
  if (!element || linked(event.relatedTarget) === element) return;
  const packet = packetOf(element), focused = linked(document.activeElement);
  light(packet, focused && packetOf(focused) === packet ? focused : null);
});

document.addEventListener("click", event => {
  const element = linked(event.target);
  if (element && element.closest(".bytes, .fields")) go(element);
});

document.addEventListener("toggle", event => {
  if (event.target.open) prepare(event.target);
}, true);

// A message of the ladder leads to its packet.
function arrive() {
  const parts = /^#p\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
  if (!parts) return;
  const packet = packetOf(parts);
  packet.open = true;
  packet.querySelector("summary").focus();
  packet.scrollIntoView();
}

const packets = [...document.querySelectorAll(".packet")];
document.querySelector(".tools").hidden = false;
document.getElementById("open").addEventListener("click", () => packets.forEach(packet => packet.open = true));
document.getElementById("close").addEventListener("click", () => packets.forEach(packet => packet.open = false));
packets.filter(packet => packet.open).forEach(prepare);
addEventListener("hashchange", arrive);
arrive();
