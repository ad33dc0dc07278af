/**
 * What a page needs when somebody edits: YAML and JSON with places, templates, checks, worst cases. A module of its own,
 * to be loaded when it is first needed:
 *
 * ```ts
 * const tools = await import("policy-wasm/manifests");
 * await tools.load();
 * const { diagnostics } = decode(tools.check(encode({ text }))).value;
 * ```
 */

import type { Json, KubeObject, Result, ScenarioDocument, Time } from "policy-wasm";

/**
 * Loads the module and the time zones, once. Browsers fetch both beside the script; node reads them from the package.
 * @param source the module, when it is elsewhere
 * @param zones the data of time zones (`zones.bin`), or where it is
 */
export function load(source?: BufferSource | WebAssembly.Module | Response | URL | string, zones?: Uint8Array | URL | string): Promise<void>;

/** A part of a text. */
export interface Place {
  /** From 1. */
  line: number;
  /** In characters, from 1. */
  column: number;
  /** UTF-16 units, as JavaScript and editors count, from 0; `to` is the first one after it. */
  from: number;
  to: number;
}

/** Something that is said about a place of a text. */
export interface Diagnostic {
  severity: "error" | "warning" | "info";
  /**
   * `syntax`; `scenario`; of the API server `FieldValueInvalid`, `FieldValueRequired`, …, `Decoding`, `StrictDecoding` and
   * `Warning`; or a code of lint, like `rule-shadowed` (docs/lint.md).
   */
  code: string;
  message: string;
  /** The field, as Kubernetes writes paths; empty for the whole. */
  path: string;
  place: Place | null;
  help: string | null;
}

export interface ManifestAt {
  object: KubeObject;
  place: Place;
}

/** The objects of a text of YAML or JSON, several documents and lists included. The text itself is given, in UTF-8. */
export function manifests(text: Uint8Array): Json<Result<ManifestAt[]>>;

export interface TextRequest {
  text: string;
  /** The instant from which schedules are looked at. */
  from?: Time;
}
export interface Checked {
  kind: "manifests" | "scenario";
  /** The objects, or the scenario's document; none when the text cannot be read. */
  documents: ManifestAt[];
  /** In the order of the text. */
  diagnostics: Diagnostic[];
}
/** Everything that is wrong with manifests (as the API server and lint say) or with a scenario, at its places. */
export function check(request: Json<TextRequest>): Json<Result<Checked>>;

export interface LintFinding extends Diagnostic {
  /** The object's place among those of the text, from 0. */
  document: number;
  /** A scenario whose assertions hold because of it. */
  scenario: ScenarioDocument;
}
/** What would be accepted and still goes wrong. */
export function lint(request: Json<TextRequest>): Json<Result<LintFinding[]>>;

export interface WorstCaseRequest {
  /** A Job or CronJob. */
  manifest: KubeObject;
  /** How long each start of a container runs at most; for ever when left out. */
  runSeconds?: number;
  /** The codes that containers may exit with: `0,42`. Any when left out. */
  exitCodes?: string;
  /** Whether Pods may be disrupted at any time. */
  disruptions?: boolean;
}
/** The bounds, as `jobpolicy worst-case --output json` writes them for one object (docs/worst-case.md). */
export function worstCase(request: Json<WorstCaseRequest>): Json<Result<Record<string, unknown>>>;

export interface ExpandRequest {
  template: string;
  /** Found out when left out. */
  syntax?: "dollar" | "jinja";
  /** YAML: a list of mappings is an expansion each, a mapping is for all. */
  values?: string;
  /** `NAME=VALUE,VALUE`, in place of `values`. */
  set?: string[];
}
/** What a template becomes: all of it as one text, and the objects in it. */
export function expand(request: Json<ExpandRequest>): Json<Result<{ text: string; objects: KubeObject[] }>>;

/** A value as YAML, as `kubectl` writes it. */
export function toYaml(value: Json<unknown>): Json<Result<string>>;
