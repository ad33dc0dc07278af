// The one place that knows how the modules and data of policy-wasm are loaded.

import * as policy from "policy-wasm";
import address from "policy-wasm/glue_bg.wasm?url";
import zonesAddress from "policy-wasm/zones.bin?url";

let loaded: Promise<void> | null = null;

/** The decisions and the virtual cluster, compiled and ready. */
export async function core(): Promise<typeof policy> {
  loaded ??= policy.load(new URL(address, import.meta.url));
  await loaded;
  return policy;
}

/** The time zones, of which only runs that name one have need. */
export function zones(): Promise<void> {
  return policy.loadZones(new URL(zonesAddress, import.meta.url));
}
