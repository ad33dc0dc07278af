/**
 * Kubernetes' Job and CronJob decisions, and a virtual cluster to watch them in, compiled to WebAssembly.
 *
 * JSON crosses the boundary as bytes (UTF-8 in a `Uint8Array`): they can be sent on to another thread unread, and cost
 * a third of what objects cost. `Json<T>` says what the bytes hold; `encode` and `decode` convert. What may be refused
 * answers with a {@link Result}; nothing here throws.
 *
 * ```ts
 * import { load, encode, decode, openSimulation } from "policy-wasm";
 * await load();
 * const opened = openSimulation(encode({ scenario }));
 * if (opened.ok) {
 *   opened.value.seek(30);
 *   console.log(decode(opened.value.frame()).jobs);
 * }
 * ```
 */

import type { JobStatus } from "./simulation.js";

// ---------------------------------------------------------------------------------------------------------------- JSON

declare const holds: unique symbol;

/** JSON text as bytes; `T` is what it holds. */
export type Json<T> = Uint8Array & { readonly [holds]?: T };

/** The bytes of a value. */
export function encode<T>(value: T): Json<T>;
/** The value of bytes. */
export function decode<T>(bytes: Json<T>): T;

/** An answer, or why there is none. */
export type Result<T> = { ok: true; value: T } | { ok: false; problems: Problem[] };

/** One thing that is wrong with what was given. */
export interface Problem {
  /** What kind of problem. A code may be added; none is renamed. */
  code:
    | "malformed-json" // not JSON, or not UTF-8
    | "malformed-yaml" // neither YAML nor JSON (policy-wasm/manifests)
    | "invalid-template" // a template, its parameters, or what it makes (policy-wasm/manifests)
    | "zones-not-loaded" // a time zone is named: call `await loadZones()` and ask again
    | "wrong-shape" // JSON of another form than is expected
    | "invalid-scenario" // the scenario's schema or its references
    | "invalid-object" // the API server would refuse an object
    | "unknown-variant"
    | "unknown-object" // there is no such Job, Pod, rule …
    | "out-of-range" // a time or number beyond what is allowed
    | "not-allowed-here"; // right elsewhere, not in this place
  /** What is wrong, in a sentence, lower case. */
  message: string;
  /** Where, in Kubernetes' notation (`manifests[0].spec.template`); empty for the whole. */
  path: string;
  /** The same, step by step, for editors. */
  steps: (string | number)[];
  /** What to do about it. */
  help?: string;
}

/** An instant in UTC: `2026-01-01T00:00:01.5Z`. */
export type Time = string;
/** A length of time as scenarios write it: `30s`, `1m30s`, `500ms`. */
export type Duration = string;
/** Any object of the Kubernetes API, as JSON. */
export type KubeObject = Record<string, unknown>;

// --------------------------------------------------------------------------------------------------------------- set-up

/**
 * Loads the module, once. Browsers fetch it beside the script; node reads it from the package, before the import is over.
 * @param source the module's bytes, a compiled module, a response or an address, when it is elsewhere.
 */
export function load(source?: BufferSource | WebAssembly.Module | Response | URL | string): Promise<void>;

/**
 * Loads the time zones (24 KB gzipped), once. Until then whatever names a zone is answered with the problem
 * `zones-not-loaded`; UTC needs none. node has them from the start.
 * @param source `zones.bin` of this package, or where it is, when it is not beside the script
 */
export function loadZones(source?: Uint8Array | Response | URL | string): Promise<void>;

/** Versions. */
export interface Version {
  /** Of this package. */
  version: string;
  /** The Kubernetes version whose decisions these are. */
  kubernetes: string;
}
export function version(): Json<Version>;

// ------------------------------------------------------------------------------------------- decide, schedule, validate

/** A line of `jobpolicy decide --stream` about a Job (docs/cli.md). */
export interface JobLine {
  id?: unknown;
  now: Time;
  job: KubeObject;
  pods?: KubeObject[];
  memory?: {
    backoff?: Backoff | null;
    finalizersBeingRemoved?: string[] | null;
    expectationsSatisfied?: boolean | null;
  } | null;
}
/** A line about a CronJob. */
export interface CronJobLine {
  id?: unknown;
  now: Time;
  cronJob: KubeObject;
  jobs: KubeObject[];
  apiJobs?: KubeObject[];
  /** Absent: as `cronJob`. Null: it is gone. */
  apiCronJob?: KubeObject | null;
}
export interface Backoff {
  failuresAfterLastSuccess: number;
  lastFailureTime: Time | null;
}
export interface EventAnswer {
  type: "Normal" | "Warning";
  reason: string;
  message: string;
}
export interface JobPlan {
  /** Names of Pods. */
  adopt: string[];
  release: string[];
  create: { index: number | null; generateName: string; pod: KubeObject }[];
  delete: string[];
  removeFinalizer: string[];
  statusUpdates: JobStatus[];
  events: EventAnswer[];
  requeueAfterMs: number | null;
  memory: { backoff: Backoff | null };
}
export interface CronJobPlan {
  createJobs: KubeObject[];
  deleteJobs: string[];
  status: KubeObject | null;
  events: EventAnswer[];
  requeueAfterMs: number | null;
}
export interface Decided<Plan> {
  id: unknown;
  plan: Plan;
  error: string | null;
}
/** What the controller would do next, every call taken to succeed. */
export function decide(line: Json<JobLine>): Json<Result<Decided<JobPlan>>>;
export function decide(line: Json<CronJobLine>): Json<Result<Decided<CronJobPlan>>>;

/** The next times of a schedule. At most 100,000 at once. */
export interface ScheduleLine {
  id?: unknown;
  schedule: string;
  /** A name of the tz database. */
  timeZone?: string | null;
  from: Time;
  n: number;
}
export interface ScheduleAnswer {
  id: unknown;
  times?: Time[];
  /** There is no further time in the years that are looked at. */
  exhausted?: boolean;
  /** Kubernetes' words. */
  error: string | null;
  stage?: "timeZone" | "schedule" | "hang";
}
export function schedule(line: Json<ScheduleLine>): Json<Result<ScheduleAnswer>>;

/** What the API server would say to creating `object`, or to changing `old` to `new`. */
export type ValidateLine =
  | { id?: unknown; object: KubeObject }
  | { id?: unknown; old: KubeObject; new: KubeObject; subresource?: "" | "status" };
export interface ValidateAnswer {
  id: unknown;
  /** The object as it would be stored; for a creation that can be decoded. */
  defaulted?: KubeObject;
  errors: { type: string; field: string; detail: string }[];
  warnings?: string[];
  strictErrors?: string;
  decodeError?: string;
}
export function validate(line: Json<ValidateLine>): Json<Result<ValidateAnswer>>;

// -------------------------------------------------------------------------------------------------------------- explain

/** Objects as `kubectl get job,cronjob,pods,events -o json` lists them; `List`s are opened, other kinds passed over. */
export interface ExplainRequest {
  objects: KubeObject[];
  /** The instant to explain. An object without a UID is taken as created then. */
  now: Time;
  /** Only this one: `job/NAME` or `cronjob/NAME`. */
  only?: string;
}
export interface ExplainReport {
  jobs: JobReport[];
  cronJobs: CronJobReport[];
}
export interface JobReport {
  /** `NAMESPACE/NAME`. */
  job: string;
  state:
    | "running" | "waiting" | "suspended" | "ending" | "complete" | "failed" | "deleting" | "managedElsewhere" | "unusable";
  /** What it is doing, and what comes next, in a sentence. */
  summary: string;
  next: { at: Time | null; what: string }[];
  pods: { pod: string; phase: string; index?: number; how: string; policy?: string }[];
  findings: Finding[];
  /** Rules that were not looked at. */
  notReached: RuleCode[];
  calls: { number: number; call: string; object?: string; index?: number; text: string }[];
  /** What was worked out about the controller's memory. */
  inferred: { what: string; value: string; how: string }[];
  unknown: { what: string; assumed: string; otherwise?: string }[];
  events: { reason: string; message: string; warning: boolean; count: number; last: Time | null; rule?: RuleCode }[];
  plan: JobPlan;
}
export interface CronJobReport {
  cronJob: string;
  state: "scheduled" | "due" | "skipping" | "suspended" | "deleting" | "unusable";
  summary: string;
  next: JobReport["next"];
  jobs: { job: string; state: "running" | "complete" | "failed"; started: Time | null }[];
  findings: Finding[];
  notReached: RuleCode[];
  calls: JobReport["calls"];
  unknown: JobReport["unknown"];
  events: JobReport["events"];
  plan: CronJobPlan;
}
export function explain(request: Json<ExplainRequest>): Json<Result<ExplainReport>>;

/** A rule's stable code: `backoff-limit-exceeded`. */
export type RuleCode = string;
export interface Rule {
  rule: RuleCode;
  domain: "job" | "cronjob" | "ttl" | "orphan";
  /** The part of a decision to which it belongs, in words. */
  stage: string;
  /** The symbol of Kubernetes that it mirrors. */
  upstream: string;
  /** What it says; lines are broken as written, paragraphs by a blank line. */
  text: string;
}
/** All rules, in the order in which the controllers come to them. */
export function rules(): Json<Rule[]>;

/** A rule's part in a decision. */
export interface Finding {
  rule: RuleCode;
  verdict: "held" | "notHeld";
  /** The values it looked at: where, what, and what that was compared with. */
  evidence: { path: string; value: string; bound?: string }[];
  /** In a report the numbers of its calls; in a decision of a simulation their range. */
  calls: number[] | { start: number; end: number };
}

// ------------------------------------------------------------------------------------------------------------ scenarios

/** A scenario file as JSON (docs/scenarios.md, docs/scenario.schema.json). */
export type ScenarioDocument = Record<string, unknown>;

export interface ScenarioInfo {
  name: string;
  title: string;
  summary: string;
  tutorial: number | null;
  seed: number;
  until: Duration;
  start: Time;
  variants: { name: string; title: string; summary: string }[];
}
/** Checks a scenario with all its variants: every problem with its path. */
export function checkScenario(document: Json<ScenarioDocument>): Json<Result<ScenarioInfo>>;
/** A scenario that does nothing but create these objects: for one's own manifests. */
export function scenarioOf(manifests: Json<KubeObject[]>): Json<Result<ScenarioDocument>>;

export * from "./simulation.js";
