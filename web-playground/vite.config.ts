import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

import { contentSecurityPolicy } from "./build/csp.ts";
import { scenarios } from "./build/scenarios.ts";
import { serviceWorker } from "./build/service-worker.ts";
import { texts } from "./build/texts.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
/** The package that `cargo xtask wasm` builds. */
const wasm = process.env.POLICY_WASM ?? path("../target/policy-wasm");

export default defineConfig({
  // Relative, so that the built page works under any address.
  base: "./",
  plugins: [svelte(), scenarios(path("scenarios")), texts(path("texts")), contentSecurityPolicy(), serviceWorker()],
  resolve: { alias: [
    { find: /^policy-wasm$/, replacement: `${wasm}/index.js` },
    { find: /^policy-wasm\//, replacement: `${wasm}/` },
  ] },
  worker: { format: "es" },
  server: { fs: { allow: [path("."), wasm] } },
  build: {
    outDir: process.env.PLAYGROUND_OUT ?? path("../target/playground"),
    emptyOutDir: true,
    target: "es2022",
    // The page's policy allows no `data:` scripts; small files stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: { input: { index: path("index.html"), "job-playground": path("src/embed.ts") },
      output: { entryFileNames: (chunk) => (chunk.name === "job-playground" ? "job-playground.js" : "assets/[name]-[hash].js") } },
  },
});
