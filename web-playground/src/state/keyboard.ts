// Single keys, as `?` lists them. Off in fields, in the editor and with modifiers.

import { breaking } from "./breaking.svelte.ts";
import { settings } from "./settings.svelte.ts";
import { store, type KubectlTab } from "./store.svelte.ts";

const TABS: KubectlTab[] = ["get", "describe", "logs", "events"];

type Act = (event: KeyboardEvent) => void;
const KEYS: Record<string, Act> = {
  " ": () => (store.playing ? store.pause() : store.play()),
  ",": () => store.step(-1),
  ".": () => store.step(1),
  ArrowLeft: (event) => move(event, -1),
  ArrowRight: (event) => move(event, 1),
  Home: () => still(() => store.seek(0)),
  End: () => still(() => store.seek(store.end)),
  "+": () => store.zoom(0.5),
  "=": () => store.zoom(0.5),
  "-": () => store.zoom(2),
  "0": () => store.zoom(1e9),
  w: () => store.zoom(0.7),
  s: () => store.zoom(1.4),
  a: () => store.pan(-0.25),
  d: (event) => (store.partSeconds !== null && !event.shiftKey ? still(() => store.seek(store.partSeconds ?? 0)) : store.pan(0.25)),
  z: () => void breaking.undo(),
  "?": () => (settings.dialog = "keys"),
  b: () => focusPanel("break"),
  "/": () => focusPanel("scenario"),
  Escape: () => (breaking.form ? (breaking.form = null) : store.select(null)),
};

/** Shows a panel and puts the focus on its first button. */
function focusPanel(panel: "break" | "scenario"): void {
  store.panel = panel;
  settings.drawer = panel === "scenario";
  requestAnimationFrame(() => {
    const buttons = [...document.querySelectorAll<HTMLButtonElement>(`[data-testid=${panel}] button`)];
    buttons.find((button) => !button.disabled && button.offsetParent !== null)?.focus();
  });
}

function still(act: () => void): void {
  store.pause();
  act();
}

function move(event: KeyboardEvent, direction: number): void {
  still(() => store.seek(store.time + direction * (event.shiftKey ? 10 : 1)));
}

/** Elements that take keys themselves. */
function takesKeys(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("input:not([type=range]), textarea, select, [contenteditable], .cm-editor, dialog, .editor")) return true;
  return key === " " && target.closest("button, summary, a") !== null;
}

export function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (takesKeys(event.target, key)) return;
  const act = KEYS[key] ?? tabKey(key);
  if (!act) return;
  event.preventDefault();
  act(event);
}

function tabKey(key: string): Act | undefined {
  const tab = TABS[Number(key) - 1];
  return tab && (() => {
    store.tab = tab;
    store.panel = "kubectl";
  });
}
