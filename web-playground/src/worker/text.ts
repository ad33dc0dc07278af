// YAML and JSON as text: read and found again. Loaded when the first text comes.

import type { KubeObject } from "policy-wasm";
import { isNode, parseAllDocuments, type Document } from "yaml";

import type { TextPlace, TextProblem, TextRange, TextRead } from "./protocol.ts";

/** More than a cluster would take of one object, and enough for the objects of a large Job. */
const MOST_BYTES = 4 << 20;
/** More problems help nobody. */
const MOST_PROBLEMS = 50;

const OPTIONS = { version: "1.2", uniqueKeys: true, prettyErrors: false } as const;

type Mapping = Record<string, unknown>;
const isMapping = (value: unknown): value is Mapping => value !== null && typeof value === "object" && !Array.isArray(value);

export function read(text: string): TextRead {
  if (text.length > MOST_BYTES) {
    const size = (text.length / (1 << 20)).toFixed(1);
    return problems([{ message: `this text has ${size} MiB; at most 4 MiB are taken. Leave out what is not about the Job`, from: 0, to: 0 }]);
  }
  // JSON is quicker to read, and `kubectl -o json` can be long.
  if (/^\s*[{[]/.test(text)) {
    try {
      return classify([JSON.parse(text)], []);
    } catch {
      // It may be YAML in braces; if not, what follows says where it is wrong.
    }
  }
  const documents = parse(text);
  const found = documents.flatMap(({ errors }) => errors).map(({ message, pos: [from, to] }): TextProblem => ({ message: lower(message), from, to: Math.max(to, from + 1) }));
  if (found.length > 0) return problems(found.slice(0, MOST_PROBLEMS));
  try {
    const values = documents.map((document) => document.toJS({ maxAliasCount: 200 }) as unknown);
    return classify(values, documents);
  } catch (error) {
    return problems([{ message: lower(error instanceof Error ? error.message : String(error)), from: 0, to: 0 }]);
  }
}

function parse(text: string): Document.Parsed[] {
  const documents = parseAllDocuments(text, OPTIONS);
  return Array.isArray(documents) ? documents : [];
}

const problems = (found: TextProblem[]): TextRead => ({ kind: "problems", problems: found });
const lower = (message: string) => message.charAt(0).toLowerCase() + message.slice(1);

function classify(values: unknown[], documents: Document.Parsed[]): TextRead {
  const objects: KubeObject[] = [];
  const places: number[] = [];
  for (const [place, value] of values.entries()) {
    if (value === null) continue;
    if (!isMapping(value)) return problems([wrong(documents[place], "a mapping is expected here: a manifest, a list, or a scenario")]);
    if (Array.isArray(value.manifests) && value.kind === undefined) return { kind: "scenario", document: value };
    if (Array.isArray(value.items) && String(value.kind ?? "List").endsWith("List")) {
      for (const item of value.items.filter(isMapping)) (objects.push(item), places.push(place));
    } else if (typeof value.kind === "string" && typeof value.apiVersion === "string") (objects.push(value), places.push(place));
    else return problems([wrong(documents[place], "`apiVersion` and `kind` say what this is; one of them is missing")]);
  }
  if (objects.length === 0) return problems([{ message: "there is nothing here yet", from: 0, to: 0 }]);
  const known = objects.some(({ kind, metadata }) => (kind === "Job" || kind === "CronJob") && isMapping(metadata) && metadata.uid !== undefined);
  return known ? { kind: "objects", objects } : { kind: "manifests", objects, documents: places };
}

function wrong(document: Document.Parsed | undefined, message: string): TextProblem {
  const range = document?.contents && isNode(document.contents) ? document.contents.range : null;
  return { message, from: range?.[0] ?? 0, to: Math.min(range?.[1] ?? 1, (range?.[0] ?? 0) + 80) };
}

export function locate(text: string, places: TextPlace[]): (TextRange | null)[] {
  const documents = parse(text);
  return places.map(({ document, steps }) => {
    const whole = documents[document];
    // The nearest field that is there.
    for (let length = steps.length; whole && length >= 0; length -= 1) {
      const range = rangeOf(whole, steps.slice(0, length));
      if (range) return range;
    }
    return null;
  });
}

function rangeOf(document: Document.Parsed, steps: (string | number)[]): TextRange | null {
  const node = steps.length === 0 ? document.contents : document.getIn(steps, true);
  if (!isNode(node) || !node.range) return null;
  const [from, to] = node.range;
  // Of a mapping or a list only its first line is marked.
  return { from, to: "items" in node ? Math.min(to, from + 40) : Math.max(to, from + 1) };
}
