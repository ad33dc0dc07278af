import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Plugin } from "vite";
import { parseDocument } from "yaml";

const LIST = "virtual:catalogue";
const ONE = "virtual:scenario/";

interface Text {
  name: string;
  title?: string;
  summary?: string;
}
interface Document extends Text {
  tutorial?: number;
  seed?: number;
  variants?: Text[];
}

/** Reads a scenario file; a mistake in it ends the build. */
export function readScenario(file: string): Document {
  const document = parseDocument(readFileSync(file, "utf8"), { version: "1.2", uniqueKeys: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new Error(`${file}: ${problem.message}`);
  return document.toJS() as Document;
}

function entry(document: Document) {
  const text = ({ name, title, summary }: Text) => ({ name, title: title ?? name, summary: (summary ?? "").trim() });
  return { ...text(document), tutorial: document.tutorial ?? null, variants: (document.variants ?? []).map(text) };
}

/** Scenario files as modules: a list of all, and each as JSON that is loaded when it is wanted. */
export function scenarios(folder: string): Plugin {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml")).sort();
  const path = (name: string) => join(folder, `${name}.yaml`);
  const names = files.map((file) => file.replace(/\.yaml$/, ""));
  return {
    name: "scenarios",
    resolveId: (id) => (id === LIST || id.startsWith(ONE) ? `\0${id}` : null),
    load(id) {
      if (id === `\0${LIST}`) {
        for (const name of names) this.addWatchFile(path(name));
        const loaders = names.map((name) => `${JSON.stringify(name)}: () => import("${ONE}${name}")`);
        const list = JSON.stringify(names.map((name) => entry(readScenario(path(name)))));
        return `export const catalogue = ${list};\nexport const load = {${loaders.join(",")}};`;
      }
      if (!id.startsWith(`\0${ONE}`)) return null;
      const file = path(id.slice(ONE.length + 1));
      this.addWatchFile(file);
      return `export default ${JSON.stringify(readScenario(file))};`;
    },
  };
}
