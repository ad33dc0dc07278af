import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Plugin } from "vite";
import { parseDocument } from "yaml";

import type { Labels, Part, ScenarioText, Texts } from "../src/tutorials/types.ts";

const LABELS = "virtual:labels/";
const TEXTS = "virtual:texts/";

interface Named {
  chip?: string;
  title?: string;
  summary?: string;
}
interface Entry extends Named {
  text: string;
  variants?: Record<string, Named>;
}
interface File {
  page: { tutorials: Record<string, string>; policyOn: string };
  scenarios: Record<string, Entry>;
}

/** Reads the texts of a language; a mistake in them ends the build. */
function readFile(file: string): File {
  const document = parseDocument(readFileSync(file, "utf8"), { version: "1.2", uniqueKeys: true });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw new Error(`${file}: ${problem.message}`);
  const { page, ...scenarios } = document.toJS() as { page: File["page"] } & Record<string, Entry>;
  return { page, scenarios };
}

/** A paragraph in plain text, code and buttons. */
function partsOf(paragraph: string): Part[] {
  const pieces = paragraph.replace(/\s+/g, " ").trim().split(/(`[^`]+`|\{variant [^}]+\})/);
  return pieces.filter((piece) => piece !== "").map((piece): Part => {
    if (piece.startsWith("`")) return { code: piece.slice(1, -1) };
    if (piece.startsWith("{variant ")) return { variant: piece.slice("{variant ".length, -1) };
    return piece;
  });
}

function textOf({ title, summary, text, variants }: Entry): ScenarioText {
  const own = (named: Named) => ({ title: named.title ?? null, summary: named.summary?.trim() ?? null });
  return {
    ...own({ title, summary }),
    paragraphs: text.trim().split(/\n\s*\n/).map(partsOf),
    variants: Object.fromEntries(Object.entries(variants ?? {}).map(([name, named]) => [name, own(named)])),
  };
}

/** What is said beside the scenarios in one language. */
export function readTexts(file: string): Texts {
  return Object.fromEntries(Object.entries(readFile(file).scenarios).map(([name, entry]) => [name, textOf(entry)]));
}

/** The words by which tutorials and their variants are chosen. */
export function readLabels(file: string): Labels {
  const { page, scenarios } = readFile(file);
  const chips: Labels["chips"] = {};
  for (const [name, { chip, variants }] of Object.entries(scenarios)) {
    for (const [variant, named] of Object.entries({ base: { chip }, ...variants })) {
      if (named.chip) chips[`${name}/${variant}`] = named.chip;
    }
  }
  return { ...page, chips };
}

/** Texts as modules: for each language its labels, which are needed at once, and the rest, which is not. */
export function texts(folder: string): Plugin {
  const fileOf = (id: string) => join(folder, `${id.slice(id.lastIndexOf("/") + 1)}.yaml`);
  return {
    name: "texts",
    resolveId: (id) => (id.startsWith(LABELS) || id.startsWith(TEXTS) ? `\0${id}` : null),
    load(id) {
      const read = id.startsWith(`\0${LABELS}`) ? readLabels : id.startsWith(`\0${TEXTS}`) ? readTexts : null;
      if (!read) return null;
      const file = fileOf(id);
      this.addWatchFile(file);
      return `export default ${JSON.stringify(read(file))};`;
    },
  };
}
