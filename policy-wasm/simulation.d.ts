// Simulations: a part of types.d.ts.

import type {
  Backoff, CronJobReport, Duration, Finding, JobReport, Json, KubeObject, Problem, Result, RuleCode, ScenarioDocument, Time,
} from "./types.js";

export interface SimulationRequest {
  scenario: ScenarioDocument;
  /** `base` is the scenario itself, and what is taken when left out. */
  variant?: string;
  /** Another seed than the scenario's. The same seed gives the same run, here and in `jobpolicy scenario run`. */
  seed?: number;
  /** Another end than the scenario's. */
  until?: Duration;
}
/** A simulation at its start, or what is wrong with the scenario. */
export function openSimulation(request: Json<SimulationRequest>):
  | { ok: true; value: Simulation }
  | { ok: false; problems: Problem[] };

/** Where a simulation stands. */
export interface Position {
  /** Seconds since the start. Between events this is the time that was asked for. */
  seconds: number;
  time: Time;
  /** Things that have happened so far. */
  steps: number;
  decisions: number;
  events: number;
  /** Whether the run is over at this time. */
  ended: boolean;
  /** Whether it stopped short because `maxSteps` was reached: call again to go on. */
  paused: boolean;
}

/**
 * A scenario on its virtual clock. It can stand at any time; what it says is about that time. Times are seconds since the
 * start; any number is taken, those before the start as 0 and those after the end as the end.
 */
export class Simulation {
  private constructor();
  /** Frees its memory; it cannot be used afterwards. */
  free(): void;

  /** Does the next thing, or goes on until a controller has decided once more. */
  step(unit: "event" | "decision"): Json<Position>;
  /** The opposite. */
  back(unit: "event" | "decision"): Json<Position>;
  /** Goes to a time, forwards or backwards. `Infinity` is the end. With `maxSteps` it pauses, so that a worker can answer. */
  seek(seconds: number, maxSteps?: number): Json<Position>;
  position(): Json<Position>;
  /** Another simulation at the same time with the same past, and a future of its own. */
  fork(): Simulation;

  /**
   * Does something now: an action as in scenario files, without its time. From here on the run is another one; what was
   * injected at later times is dropped.
   */
  inject(action: Json<Action>): Json<Result<Injected>>;
  /** Takes an injected action back, as if it had never been. */
  undo(id: number): Json<Result<Position>>;
  injected(): Json<Injected[]>;
  /** The scenario with this variant, seed, end and what was injected, for `jobpolicy scenario run`. */
  export(): Json<ScenarioDocument>;

  /** Everything to be drawn of this time. */
  frame(options?: Json<FrameOptions>): Json<Frame>;
  /** The objects at this time as `kubectl get -o json` shows them. */
  objects(): Json<ObjectsNow>;
  /** Events so far, from number `from`. */
  events(from?: number): Json<SimEvent[]>;
  /** What containers have printed so far, by Pod. */
  logs(pod?: string): Json<Record<string, string[]>>;
  /** Decisions so far, `count` from number `from`. */
  decisions(from?: number, count?: number): Json<Decision[]>;
  /** What was done to the cluster so far, and what came of it. */
  actions(): Json<Done[]>;
  /** Why something is as it is at this time. */
  why(target: Json<WhyTarget>): Json<Result<Why>>;
  /** What `kubectl` prints at this time, columns and all. */
  kubectl(command: Json<KubectlCommand>): Json<Result<string>>;
  /** What comes next if nothing is done, the soonest first. */
  next(): Json<Next[]>;
  /** Where two runs part: the first decision that differs, if one does up to their times. */
  parting(other: Simulation): Json<Parting | null>;
  /** The scenario's assertions, once the run is over; before, those that can be told already. */
  assertions(): Json<{ text: string; held: boolean; found?: string; at?: Time }[]>;
  /**
   * The report of the whole run to its end: the bytes that `jobpolicy scenario run NAME --output json` prints. Where the
   * simulation stands does not matter and does not change.
   */
  report(): Json<Record<string, unknown>>;
}

/**
 * An action of a scenario file without `at`, `after`, `when` and `delay`; exactly one verb. Pods are selected by
 * `{name?, job?, index?, nth?, phase?, active?, node?, labels?}`, nodes by name or `{ofPod: …}`.
 */
export type Action = { every?: Duration; times?: number; refused?: string } & (
  | { kill: { pod: PodSelector; container?: string; exitCode?: number; oom?: boolean } }
  | { delete: Target | (TargetObject & { cascade?: "background" | "foreground" | "orphan"; gracePeriod?: Duration }) }
  | { patch: TargetObject & { patch: unknown; subresource?: "status" } }
  | { scale: { job: string; parallelism?: number; completions?: number } }
  // `KIND/NAME`, like `job/pi`.
  | { suspend: string }
  | { resume: string }
  | { label: TargetObject & { set: Record<string, string | null> } }
  | { apply: KubeObject | KubeObject[] }
  | { drain: string | { node: NodeSelector; gracePeriod?: Duration } }
  | { shutdownNode: string | { node: NodeSelector; gracePeriod?: Duration } }
  | { cordon: NodeSelector }
  | { uncordon: NodeSelector }
  | { crashNode: NodeSelector }
  | { recoverNode: NodeSelector }
  | { deleteNode: NodeSelector }
  | { taint: { node: NodeSelector; taint: string } }
  | { untaint: { node: NodeSelector; taint: string } }
  | { evict: { pod: PodSelector; resource?: string } }
  | { breakImage: { image: string; error?: string } }
  | { repairImage: { image: string } }
  | { push: { queue: string; items: string[] } }
  | { limit: Record<string, unknown> }
  | { fault: Fault }
);
export type Fault =
  | { crashController: { atCall?: number; inFlight?: "lost" | "committed"; down?: Duration } }
  | { failCalls: { calls?: CallMatch; error: string } }
  | { loseResponse: { calls?: CallMatch } }
  | { freezeWatch: { resource?: "jobs" | "pods" | "cronJobs"; for: Duration; coalesce?: boolean } }
  | { dropWatchEvents: { resource: "jobs" | "pods" | "cronJobs"; count: number } }
  | { skewClock: { ahead?: Duration; behind?: Duration } };
/** Selects calls of the controllers; see docs/scenarios.md. */
export type CallMatch = Record<string, unknown>;
export interface PodSelector {
  name?: string;
  job?: string;
  index?: number;
  nth?: number;
  phase?: string;
  active?: boolean;
  node?: string;
  labels?: Record<string, string>;
}
export type NodeSelector = string | { ofPod: PodSelector };
export type Target = string | TargetObject;
export interface TargetObject {
  kind?: string;
  name?: string;
  labels?: Record<string, string>;
  pod?: PodSelector;
}
export interface Injected {
  id: number;
  seconds: number;
  time: Time;
  action: Action;
  /** As a `kubectl` command where there is one. */
  what: string;
}

export interface FrameOptions {
  /** Which lanes, by place in the order of creation; all when left out, none with `count: 0`. */
  lanes?: { from?: number; count?: number };
}
export interface Frame extends Position {
  /** How the run ended, once it has. */
  ending: { outcome: "finished" | "quiescent" | "deadline"; why: string[] } | null;
  jobs: JobFrame[];
  cronJobs: CronJobFrame[];
  /** How many lanes there are in all. */
  laneCount: number;
  lanes: Lane[];
  /** Pods that exist or existed, by what they do now. */
  stages: Record<Stage, number>;
  cost: {
    podsCreated: number;
    /** Of containers running, over all Pods. */
    podSeconds: number;
  };
  nodes: { name: string; ready: boolean; cordoned: boolean; pods: number; podCapacity: number }[];
  queues: { name: string; ready: string[]; taken: string[]; waiting: number }[];
  controller: {
    /** Whether the controllers run; a crashed one does not. */
    up: boolean;
    /** How often they were started again. */
    restarts: number;
  };
}
export interface JobStatus {
  active?: number;
  ready?: number | null;
  succeeded?: number;
  failed?: number;
  terminating?: number | null;
  completedIndexes?: string;
  failedIndexes?: string | null;
  uncountedTerminatedPods?: { succeeded?: string[]; failed?: string[] } | null;
  conditions?: Condition[] | null;
  startTime?: Time | null;
  completionTime?: Time | null;
}
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason?: string;
  message?: string;
  lastTransitionTime?: Time | null;
}
export interface JobFrame {
  name: string;
  namespace: string;
  uid: string;
  /** The CronJob that it is a run of. */
  owner: string | null;
  parallelism: number | null;
  completions: number | null;
  backoffLimit: number | null;
  indexed: boolean;
  suspended: boolean;
  /** Whether it is being deleted. */
  deleting: boolean;
  /** `Complete` or `Failed`, once that condition is true. */
  finished: "Complete" | "Failed" | null;
  status: JobStatus;
  /** What the controller remembers; null while it is down, and for what it has not seen. */
  memory: JobMemory | null;
}
export interface JobMemory {
  backoff: (Backoff & {
    /** When Pods may be created again. */
    until: Time | null;
  }) | null;
  /** Creations and deletions that the watch has not shown yet. */
  expectations: { creations: number; deletions: number; since: Time | null; satisfied: boolean };
  /** UIDs of Pods whose finalizer removal is awaited. */
  finalizersBeingRemoved: string[];
  /** Whether its end was written and not seen yet. */
  finishRecorded: boolean;
  /** Whether it waits to see its own writes. */
  awaitsOwnWrites: boolean;
  /** Whether a sync is under way, waiting for answers. */
  syncing: boolean;
}
export interface CronJobFrame {
  name: string;
  namespace: string;
  uid: string;
  schedule: string;
  timeZone: string | null;
  concurrencyPolicy: string;
  suspended: boolean;
  /** Names of active Jobs. */
  active: string[];
  lastScheduleTime: Time | null;
  lastSuccessfulTime: Time | null;
  /** The next runs. */
  nextRuns: Time[];
}
export type Stage = "pending" | "backOff" | "running" | "terminating" | "succeeded" | "failed" | "gone";
export interface Lane {
  /** Its place in the order of creation. */
  place: number;
  pod: string;
  job: string | null;
  index: number | null;
  node: string | null;
  /** What it does now. */
  stage: Stage;
  /** What it did from which second on. */
  stages: [seconds: number, stage: Stage][];
  /** When containers were restarted. */
  restarts: number[];
  exitCode: number | null;
  /** Why it was disrupted, from its condition `DisruptionTarget`, while it exists. */
  disruption: string | null;
  /** Whether the Job's status has counted it: its finalizer is gone. */
  counted: boolean;
}
export interface ObjectsNow {
  jobs: KubeObject[];
  cronJobs: KubeObject[];
  pods: KubeObject[];
  deletedJobs: KubeObject[];
}
export interface SimEvent {
  at: Time;
  kind: "Normal" | "Warning";
  reason: string;
  /** `Kind/name`. */
  object: string;
  message: string;
  component: string;
}
export interface Decision {
  number: number;
  at: Time;
  seconds: number;
  controller: string;
  object: string;
  verdict: string;
  /** How many calls it made. */
  calls: number;
  /** The calls in words. */
  callList?: string[];
  /** When it decides again without any event. */
  wake?: Time;
  error?: string;
  findings?: Finding[];
  /** What it changed in the Job's status. */
  changes: StatusChange[];
}
export interface StatusChange {
  /** `active`, `ready`, `succeeded`, `failed`, `terminating`, `uncounted`, or a condition's type. */
  field: string;
  from: string;
  to: string;
}
export interface Done {
  at: Time;
  what: string;
  answer: string;
  /** The HTTP status code of a refusal. */
  code?: number;
  count: number;
}

/** Without a name `get` and `describe` are about all objects of the kind; no such name is `unknown-object`. */
export type KubectlCommand =
  | { verb: "get"; resource: "jobs" | "cronJobs" | "pods" | "events"; name?: string }
  | { verb: "describe"; resource: "jobs" | "cronJobs" | "pods"; name?: string }
  | { verb: "logs"; name: string }
  | { verb: "events" };

export type WhyTarget =
  | { kind: "job" | "cronJob"; name: string }
  | { kind: "pod"; name: string }
  /** Where a Job has no Pod (of an index): why there is none. */
  | { kind: "gap"; job: string; index?: number }
  | { kind: "count"; job: string; field: "active" | "ready" | "succeeded" | "failed" | "terminating" | "uncounted" }
  | { kind: "condition"; job: string; type: string };
export interface Why {
  /** The answer in one sentence. */
  summary: string;
  /** The rules that bear on it, those that held first. */
  findings: Finding[];
  /** Rules that were not reached. */
  notReached: RuleCode[];
  /** The decisions that made it so, the latest first. */
  decisions: Decision[];
  /** A Job or CronJob as a whole, decided about now with what the controller knows. */
  report: JobReport | CronJobReport | null;
  /** All of it as text to copy. */
  text: string;
}
export interface Next {
  /** Null when it waits for something else to happen. */
  at: Time | null;
  seconds: number | null;
  /** `Kind/name`, where it is about one. */
  object: string | null;
  /** As a clause: `the back-off after 2 failures ends and 1 Pod is created`. */
  what: string;
  source: "controller" | "cluster" | "scenario";
}
export interface Parting {
  seconds: number;
  /** The decisions at which they part; null where one run has no further decision. */
  here: Decision | null;
  there: Decision | null;
}
