// The one place that knows how the modules of policy-wasm are loaded.

import * as policy from "policy-wasm";
import address from "policy-wasm/glue_bg.wasm?url";

let loaded: Promise<void> | null = null;

/** The decisions and the virtual cluster, compiled and ready. */
export async function core(): Promise<typeof policy> {
  loaded ??= policy.load(new URL(address, import.meta.url));
  await loaded;
  return policy;
}
