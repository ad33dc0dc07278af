// What the page asks of the worker, and the forms of its answers.

import type {
  Done, ExplainReport, ExplainRequest, KubeObject, ObjectsNow, Parting, Problem, Rule, ScenarioDocument, ScenarioInfo,
  ScheduleAnswer, ScheduleLine, SimEvent, SimulationRequest, ValidateAnswer, ValidateLine, WhyTarget,
} from "policy-wasm";

import type { Edit, Explained, Moment, SideName, Track } from "../lib/model.ts";

export interface MomentRequest {
  seconds: number;
  sides: SideName[];
}
/** Explaining takes longer than drawing, and is asked for after it. */
export interface ExplainMomentRequest extends MomentRequest {
  /** What to explain; the first Job or CronJob when left out. */
  target: WhyTarget | null;
}

/** A tab of the `kubectl` panel, and what it is about where it is about one object. */
export interface KubectlRequest {
  tab: "get" | "describe" | "logs" | "events";
  object: { kind: "jobs" | "cronJobs" | "pods"; name: string } | null;
}
/** A command, and what it prints. */
export interface KubectlOutput {
  command: string;
  text: string;
}

/** What the worker does, by name. All answers come later; a refusal rejects with its problems. */
export interface Methods {
  open(side: SideName, request: SimulationRequest, edits: Edit[]): Track;
  close(side: SideName): null;
  /** Makes the run one with these edits. */
  edit(side: SideName, edits: Edit[]): Track;
  moment(request: MomentRequest): Partial<Record<SideName, Moment>>;
  explainMoment(request: ExplainMomentRequest): Partial<Record<SideName, Explained>>;
  parting(): Parting | null;
  objects(side: SideName): ObjectsNow;
  events(side: SideName): SimEvent[];
  logs(side: SideName, pod?: string): Record<string, string[]>;
  /** What `kubectl` prints now. */
  kubectl(side: SideName, request: KubectlRequest): KubectlOutput[];
  actions(side: SideName): Done[];
  exported(side: SideName): ScenarioDocument;
  /** The text that `jobpolicy scenario run --output json` prints. */
  report(side: SideName): string;
  checkScenario(document: ScenarioDocument): ScenarioInfo;
  scenarioOf(manifests: KubeObject[]): ScenarioDocument;
  validate(line: ValidateLine): ValidateAnswer;
  explain(request: ExplainRequest): ExplainReport;
  schedule(line: ScheduleLine): ScheduleAnswer;
  rules(): Rule[];
  /** What a text is, and what is in it. */
  read(text: string): Promise<TextRead>;
  /** Where fields are in a text; null for those that are not there. */
  locate(text: string, places: TextPlace[]): Promise<(TextRange | null)[]>;
}

/** A part of a text, in characters from its start. */
export interface TextRange {
  from: number;
  to: number;
}
export interface TextPlace {
  /** Which of the YAML documents. */
  document: number;
  steps: (string | number)[];
}
export interface TextProblem extends TextRange {
  message: string;
}
/** What a text turned out to be. */
export type TextRead =
  | { kind: "problems"; problems: TextProblem[] }
  /** A scenario file. */
  | { kind: "scenario"; document: ScenarioDocument }
  /** Objects to create. */
  | { kind: "manifests"; objects: KubeObject[]; documents: number[] }
  /** What a cluster said of objects that it has. */
  | { kind: "objects"; objects: KubeObject[] };
export type Method = keyof Methods;

export interface Request {
  id: number;
  method: Method;
  arguments: unknown[];
}
export type Reply =
  | { id: number; value: unknown }
  | { id: number; problems: Problem[] }
  /** It is still at it: how far, in seconds of the run. */
  | { id: number; progress: { seconds: number; steps: number } };
