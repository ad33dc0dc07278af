// For node: the module and the time zones are in the package, and are loaded at once.

import { readFileSync } from "node:fs";
import { initSync, installZones } from "./glue.js";

export * from "./index.js";

initSync({ module: readFileSync(new URL("./glue_bg.wasm", import.meta.url)) });

installZones(readFileSync(new URL("./zones.bin", import.meta.url)));

export async function load() {}

export async function loadZones() {}
