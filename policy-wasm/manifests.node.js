// For node: the module and the time zones are in the package, and are loaded at once.

import { readFileSync } from "node:fs";
import { initSync, installZones } from "./manifests_glue.js";

export { check, expand, lint, manifests, toYaml, worstCase } from "./manifests_glue.js";

initSync({ module: readFileSync(new URL("./manifests_glue_bg.wasm", import.meta.url)) });
installZones(readFileSync(new URL("./zones.bin", import.meta.url)));

export async function load() {}
