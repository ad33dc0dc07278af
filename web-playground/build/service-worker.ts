import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { Plugin } from "vite";

const template = fileURLToPath(new URL("service-worker.js", import.meta.url));

/** Writes `service-worker.js`, which keeps every file of this build for use without a network. */
export function serviceWorker(): Plugin {
  let publicFolder = "";
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    configResolved: (config) => {
      publicFolder = config.publicDir;
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const still = existsSync(publicFolder) ? readdirSync(publicFolder) : [];
        const files = Object.keys(bundle).sort();
        const hash = createHash("sha256");
        for (const file of still) hash.update(file).update(readFileSync(join(publicFolder, file)));
        for (const file of files) {
          const part = bundle[file];
          if (part) hash.update(file).update(part.type === "chunk" ? part.code : part.source);
        }
        const source = readFileSync(template, "utf8")
          .replace("VERSION", hash.digest("hex").slice(0, 16))
          .replace("[]", JSON.stringify(["./", ...still, ...files.filter((file) => file !== "index.html")]));
        this.emitFile({ type: "asset", fileName: "service-worker.js", source });
      },
    },
  };
}
