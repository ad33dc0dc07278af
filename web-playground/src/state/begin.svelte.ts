// How the page begins: with what the address holds, or with the failure policy playing.

import { kept, settings } from "./settings.svelte.ts";
import { readHash, writeHash, type Shared } from "./share.ts";
import { editor } from "./own.svelte.ts";
import { bundled, own } from "./sources.ts";
import type { Store } from "./store.svelte.ts";

const FIRST = "pod-failure-policy-failjob";
/** Milliseconds of quiet after which the address is written. */
const QUIET = 300;

export async function begin(store: Store): Promise<void> {
  store.client.start();
  const { hash } = location;
  const shared = await readHash(hash);
  await settings.start(shared.theme, shared.language);
  await open(store, shared);
  settings.tour = shared.tour ?? (kept("toured") === null && !shared.embedded);
  window.addEventListener("hashchange", (event) => void follow(store, new URL(event.newURL).hash));
  opened(hash);
  await store.loadRules();
}

/** Shows what the address was changed to: by now it may have been written over with what was shown before. */
async function follow(store: Store, hash: string): Promise<void> {
  await open(store, await readHash(hash));
  opened(hash);
}

/** Says to whom it may concern, pages that embed this one and tests, which address is shown. */
function opened(hash: string): void {
  document.body.dataset.opened = hash;
}

/** Shows what an address holds. */
async function open(store: Store, shared: Shared): Promise<void> {
  editor.close();
  store.linkProblems = shared.problems;
  if (shared.view) store.view = shared.view;
  if (shared.tab) store.tab = shared.tab;
  settings.embedded = shared.embedded;
  if (shared.text !== null) return openText(store, shared, shared.text);
  const first = shared.a === null;
  const [a, b] = first ? await Promise.all([bundled(FIRST), bundled(FIRST, "policy-off")]) : [shared.a, shared.b];
  if (!a || !(await store.show(a, b, shared.time ?? 0, shared.window))) return;
  if (shared.selection) store.select(shared.selection);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (shared.play ?? (first && !still)) store.play();
}

/** Shows a scenario or manifests that came as text. */
async function openText(store: Store, shared: Shared, text: string): Promise<void> {
  const read = await store.client.call("read", [text]);
  if (read.kind !== "scenario") return editor.open(text);
  const variant = shared.variant ?? "base";
  const b = shared.compare === null ? null : own(read.document, shared.compare);
  if ((await store.show(own(read.document, variant), b, shared.time ?? 0, shared.window)) && shared.play) store.play();
}

/** Writes the address when what is seen has not changed for a while. */
export function keepAddress(store: Store): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  $effect(() => {
    const seen = [store.a.source, store.b.source, store.time, store.window, store.view, store.tab, store.selection];
    clearTimeout(timer);
    if (seen[0] === null || store.playing || store.opening) return;
    timer = setTimeout(() => void writeHash(store), QUIET);
  });
}
