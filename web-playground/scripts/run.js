// Runs a TypeScript file: `node scripts/run.js scripts/pictures.ts`.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { runnerImport } from "vite";

const [, , file] = process.argv;
if (!file) throw new Error("which file?");
await runnerImport(pathToFileURL(resolve(file)).href, { configFile: false });
