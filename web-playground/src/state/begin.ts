// How the page begins: with what the address holds, or with the failure policy playing.

import { settings } from "./settings.svelte.ts";
import { bundled } from "./sources.ts";
import type { Store } from "./store.svelte.ts";

export const FIRST = "pod-failure-policy-failjob";

export async function begin(store: Store): Promise<void> {
  store.client.start();
  await settings.start(null, null);
  const [a, b] = await Promise.all([bundled(FIRST), bundled(FIRST, "policy-off")]);
  if (a) await store.show(a, b);
  void store.loadRules();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) store.play();
}
