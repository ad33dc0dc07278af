// For node: the module is in the package, and is loaded at once.

import { readFileSync } from "node:fs";
import { initSync } from "./glue.js";

export * from "./index.js";

initSync({ module: readFileSync(new URL("./glue_bg.wasm", import.meta.url)) });

export async function load() {}
