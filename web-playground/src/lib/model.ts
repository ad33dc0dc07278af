// What the parts of the page pass to each other. Everything about Jobs comes from the worker in the forms of policy-wasm.

import type {
  Action, CronJobFrame, Frame, Injected, JobFrame, Lane, Next, Problem, ScenarioDocument, SimEvent, StatusChange, Why, WhyTarget,
} from "policy-wasm";

/** The two runs that can be seen beside each other. */
export type SideName = "a" | "b";
export const SIDES: readonly SideName[] = ["a", "b"];

/** Something that the person did to a run, at the time at which it stood. */
export interface Edit {
  seconds: number;
  action: Action;
}

/** What a side shows: a scenario that comes along, or a document of one's own. */
export interface Source {
  /** Its name in the catalogue; null for one's own. */
  scenario: string | null;
  document: ScenarioDocument;
  variant: string;
  seed: number | null;
  edits: Edit[];
}

/** What the build knows of a scenario. */
export interface CatalogueEntry {
  name: string;
  title: string;
  summary: string;
  tutorial: number | null;
  variants: { name: string; title: string; summary: string }[];
}

/** A decision, as the timeline needs it. */
export interface Mark {
  number: number;
  seconds: number;
  controller: string;
  /** `Job/NAME`. */
  object: string;
  verdict: string;
  /** Seconds at which it decides again by itself. */
  wake: number | null;
  /** Whether it waits for a back-off until then. */
  waits: boolean;
  calls: number;
  error: string | null;
  changes: StatusChange[];
}

export interface AssertionState {
  text: string;
  held: boolean;
  found?: string;
  at?: string;
}

/** A whole run, played to its end once. */
export interface Track {
  /** The time at its start, in milliseconds. */
  start: number;
  seconds: number;
  outcome: "finished" | "quiescent" | "deadline";
  why: string[];
  lanes: Lane[];
  jobs: JobFrame[];
  cronJobs: CronJobFrame[];
  cost: Frame["cost"];
  decisionCount: number;
  /** Empty when there are too many to draw. */
  marks: Mark[];
  injected: Injected[];
  assertions: AssertionState[];
}

/** A run at a time. */
export interface Moment {
  seconds: number;
  frame: Frame;
}

/** Why it is so, and what comes next. */
export interface Explained {
  seconds: number;
  next: Next[];
  /** About what the person selected; null where this run has no such thing. */
  why: Why | null;
}

/** What is selected: the right side explains it. */
export interface Selection {
  side: SideName;
  target: WhyTarget;
}

/** A worker's refusal. */
export class Refused extends Error {
  constructor(readonly problems: Problem[]) {
    super(problems.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; "));
  }
}
