// The one place that knows how the modules of policy-wasm are loaded.

import * as policy from "policy-wasm";
import address from "policy-wasm/glue_bg.wasm?url";
import zones from "policy-wasm/zones.bin?url";

let loaded: Promise<void> | null = null;

/** The decisions and the virtual cluster, compiled and ready. */
export async function core(): Promise<typeof policy> {
  loaded ??= load();
  await loaded;
  return policy;
}

async function load(): Promise<void> {
  await policy.load(new URL(address, import.meta.url));
  // A tutorial has CronJobs with a time zone.
  await policy.loadZones(new URL(zones, import.meta.url));
}
