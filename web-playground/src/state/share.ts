// The whole state in the address: short words for what comes along, packed JSON for what is one's own.
//
//   #a=SCENARIO/VARIANT&b=SCENARIO/VARIANT&t=SECONDS&w=FROM,TO&x=PACKED
//
// `x` holds what has no name: documents, edits, seeds; `y` is a text to read, with `v` and `c` for its variants.

import type { WhyTarget } from "policy-wasm";

import type { Language } from "../i18n/index.svelte.ts";
import type { Edit, SideName, Source } from "../lib/model.ts";
import type { Window } from "../draw/scale.ts";
import { packText, unpackText } from "./pack.ts";
import type { Theme } from "./settings.svelte.ts";
import { bundled } from "./sources.ts";
import type { KubectlTab, Store, View } from "./store.svelte.ts";

/** What a side has beyond a name. */
interface Extra {
  document?: Record<string, unknown>;
  variant?: string;
  seed?: number;
  edits?: Edit[];
}
interface Packed {
  a?: Extra;
  b?: Extra;
  selection?: { side: SideName; target: WhyTarget };
}

/** What an address holds. */
export interface Shared {
  a: Source | null;
  b: Source | null;
  time: number | null;
  window: Window | null;
  view: View | null;
  tab: KubectlTab | null;
  selection: { side: SideName; target: WhyTarget } | null;
  theme: Theme | null;
  language: Language | null;
  embedded: boolean;
  play: boolean | null;
  /** A text to read: a scenario or manifests, as an embedding page gives them. */
  text: string | null;
  /** Of that scenario: which variant, and what beside it. */
  variant: string | null;
  compare: string | null;
  /** What could not be read. */
  problems: string[];
}

function extraOf({ scenario, document, variant, seed, edits }: Source): Extra | null {
  const extra: Extra = {};
  if (scenario === null) Object.assign(extra, { document, variant });
  if (seed !== null) extra.seed = seed;
  if (edits.length > 0) extra.edits = edits;
  return Object.keys(extra).length > 0 ? extra : null;
}

const round = (seconds: number) => String(Math.round(seconds * 1000) / 1000);

/** The words behind `#` for what is to be seen. */
export async function shareHash(store: Store): Promise<string> {
  const words = new URLSearchParams();
  const [a, b] = [store.a.source, store.b.source];
  const packed: Packed = {};
  for (const [name, source] of [["a", a], ["b", b]] as const) {
    if (!source) continue;
    if (source.scenario !== null) words.set(name, `${source.scenario}/${source.variant}`);
    const extra = extraOf(source);
    if (extra) packed[name] = extra;
  }
  words.set("t", round(store.time));
  words.set("w", `${round(store.window.from)},${round(store.window.to)}`);
  if (store.view !== "timeline") words.set("view", store.view);
  if (store.tab !== "get") words.set("tab", store.tab);
  if (store.selection) packed.selection = store.selection;
  if (Object.keys(packed).length > 0) words.set("x", await packText(JSON.stringify(packed)));
  return words.toString().replaceAll("%2F", "/").replaceAll("%2C", ",");
}

export async function shareAddress(store: Store): Promise<string> {
  const { origin, pathname } = location;
  return `${origin}${pathname}#${await shareHash(store)}`;
}

function choice<T extends string>(value: string | null, among: readonly T[], name: string, problems: string[]): T | null {
  if (value === null) return null;
  const found = among.find((each) => each === value);
  if (!found) problems.push(`${name}: \`${value}\` is not one of ${among.join(", ")}`);
  return found ?? null;
}

function number(value: string | null, name: string, problems: string[]): number | null {
  if (value === null) return null;
  const read = Number(value);
  if (value.trim() !== "" && Number.isFinite(read) && read >= 0) return read;
  problems.push(`${name}: \`${value}\` is not a number of seconds`);
  return null;
}

async function sourceOf(name: string | null, extra: Extra | undefined, side: SideName, problems: string[]): Promise<Source | null> {
  const given = { seed: typeof extra?.seed === "number" ? extra.seed : null, edits: Array.isArray(extra?.edits) ? extra.edits : [] };
  if (name === null) {
    if (!extra?.document || typeof extra.document !== "object") return null;
    return { scenario: null, document: extra.document, variant: extra.variant ?? "base", ...given };
  }
  const [scenario = "", variant = "base"] = name.split("/");
  const source = await bundled(scenario, variant);
  if (!source) problems.push(`${side}: there is no scenario \`${scenario}\``);
  const variants = (source?.document.variants as { name: string }[] | undefined) ?? [];
  if (source && variant !== "base" && !variants.some((each) => each.name === variant)) {
    problems.push(`${side}: \`${scenario}\` has no variant \`${variant}\``);
    return { ...source, variant: "base", ...given };
  }
  return source && { ...source, ...given };
}

async function packedOf(text: string | null, problems: string[]): Promise<Packed> {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(await unpackText(text));
    if (value !== null && typeof value === "object") return value as Packed;
  } catch {
    // Said below.
  }
  problems.push("x: it is cut short or changed; documents and edits are left out");
  return {};
}

async function textOf(packed: string | null, problems: string[]): Promise<string | null> {
  if (packed === null) return null;
  try {
    return await unpackText(packed);
  } catch {
    problems.push("y: it is cut short or changed; the text is left out");
    return null;
  }
}

function windowOf(text: string | null, problems: string[]): Window | null {
  if (text === null) return null;
  const [from, to] = text.split(",").map(Number);
  if (from !== undefined && to !== undefined && from >= 0 && to > from) return { from, to };
  problems.push(`w: \`${text}\` is not FROM,TO`);
  return null;
}

/** What the words behind `#` say; what cannot be read is said and left out. */
export async function readHash(hash: string): Promise<Shared> {
  const words = new URLSearchParams(hash.replace(/^#/, ""));
  const problems: string[] = [];
  const packed = await packedOf(words.get("x"), problems);
  const a = await sourceOf(words.get("a"), packed.a, "a", problems);
  return {
    a,
    b: await sourceOf(words.get("b"), packed.b, "b", problems),
    time: number(words.get("t"), "t", problems),
    window: windowOf(words.get("w"), problems),
    view: choice(words.get("view"), ["timeline", "indexes", "cronjob"] as const, "view", problems),
    tab: choice(words.get("tab"), ["get", "describe", "logs", "events"] as const, "tab", problems),
    selection: packed.selection ?? null,
    theme: choice(words.get("theme"), ["light", "dark"] as const, "theme", problems),
    language: choice(words.get("lang"), ["en", "zh"] as const, "lang", problems),
    embedded: words.get("embed") === "1",
    play: words.has("play") ? words.get("play") === "1" : null,
    text: await textOf(words.get("y"), problems),
    variant: words.get("v"),
    compare: words.get("c"),
    problems,
  };
}

/** Keeps the address in step with what is seen, without filling the history. */
export async function writeHash(store: Store): Promise<void> {
  const kept = new URLSearchParams(location.hash.slice(1));
  let hash = await shareHash(store);
  for (const name of ["embed", "theme", "lang"]) {
    const value = kept.get(name);
    if (value !== null) hash += `&${name}=${value}`;
  }
  history.replaceState(null, "", `#${hash}`);
}

