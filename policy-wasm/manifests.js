// See manifests.d.ts. What is between JavaScript and the module is in manifests_glue.js, which is generated.

import init, { installZones } from "./manifests_glue.js";

export { check, expand, lint, manifests, toYaml, worstCase } from "./manifests_glue.js";

export async function load(source, zones) {
  const data = zones instanceof Uint8Array ? zones : fetched(zones ?? new URL("./zones.bin", import.meta.url));
  await init(source === undefined ? undefined : { module_or_path: source });
  if (!installZones(await data)) throw new TypeError("this is not the file of time zones of this version");
}

async function fetched(source) {
  const response = await fetch(source);
  if (!response.ok) throw new TypeError(`time zones: the server answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
