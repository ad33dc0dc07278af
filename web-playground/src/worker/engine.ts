// The runs, and what is asked about them. Nothing here decides anything: it calls policy-wasm and hands its answers on.

import type {
  Decision, Frame, Injected, Json, Lane, Parting, Position, Result, Simulation, SimulationRequest, WhyTarget,
} from "policy-wasm";

import { Refused, type Edit, type Explained, type Mark, type Moment, type SideName, type Track } from "../lib/model.ts";
import { kubectl } from "./kubectl.ts";
import type { ExplainMomentRequest, Methods, MomentRequest } from "./protocol.ts";
import type { core } from "./wasm.ts";

/** Steps between two reports of progress. */
const STEPS = 5000;
/** More marks than these are not drawn. */
const MOST_MARKS = 20000;
/** Decisions that are read at once; each may have forty findings. */
const CHUNK = 250;
/** Times at which disruptions are looked up. */
const MOST_LOOKS = 40;

type Policy = Awaited<ReturnType<typeof core>>;
export type Progress = (progress: { seconds: number; steps: number }) => void;

interface Run {
  simulation: Simulation;
  /** What was injected, in order. */
  edits: Edit[];
  ids: number[];
}

export class Engine implements AsyncMethods {
  readonly #policy: Policy;
  readonly #runs = new Map<SideName, Run>();
  progress: Progress = () => undefined;

  constructor(policy: Policy) {
    this.#policy = policy;
  }

  open(side: SideName, request: SimulationRequest, edits: Edit[]): Track {
    const opened = this.#policy.openSimulation(this.#policy.encode(request));
    if (!opened.ok) throw new Refused(opened.problems);
    this.close(side);
    const run: Run = { simulation: opened.value, edits: [], ids: [] };
    this.#runs.set(side, run);
    for (const edit of edits) this.#inject(run, edit);
    return this.#track(run);
  }

  close(side: SideName): null {
    this.#runs.get(side)?.simulation.free();
    this.#runs.delete(side);
    return null;
  }

  edit(side: SideName, edits: Edit[]): Track {
    const run = this.#run(side);
    const same = (place: number) => JSON.stringify(run.edits[place]) === JSON.stringify(edits[place]);
    let kept = 0;
    while (kept < run.edits.length && kept < edits.length && same(kept)) kept += 1;
    for (let place = run.ids.length - 1; place >= kept; place -= 1) {
      this.#read<Result<Position>, Position>(run.simulation.undo(run.ids[place] ?? 0));
    }
    run.edits.length = kept;
    run.ids.length = kept;
    for (const edit of edits.slice(kept)) this.#inject(run, edit);
    return this.#track(run);
  }

  moment(request: MomentRequest): Partial<Record<SideName, Moment>> {
    const moments: Partial<Record<SideName, Moment>> = {};
    const lanes = this.#policy.encode({ lanes: { count: 0 } });
    for (const side of request.sides) {
      const run = this.#runs.get(side);
      if (!run) continue;
      run.simulation.seek(request.seconds);
      const frame = this.#policy.decode(run.simulation.frame(lanes));
      moments[side] = { seconds: frame.seconds, frame };
    }
    return moments;
  }

  explainMoment(request: ExplainMomentRequest): Partial<Record<SideName, Explained>> {
    const explained: Partial<Record<SideName, Explained>> = {};
    for (const side of request.sides) {
      const run = this.#runs.get(side);
      if (run) explained[side] = this.#explained(run.simulation, request);
    }
    return explained;
  }

  parting(): Parting | null {
    const a = this.#runs.get("a");
    const b = this.#runs.get("b");
    if (!a || !b) return null;
    const [here, there] = [this.#policy.decode(a.simulation.position()), this.#policy.decode(b.simulation.position())];
    a.simulation.seek(Infinity);
    b.simulation.seek(Infinity);
    const parting = this.#policy.decode(a.simulation.parting(b.simulation));
    a.simulation.seek(here.seconds);
    b.simulation.seek(there.seconds);
    return parting;
  }

  objects = (side: SideName) => this.#policy.decode(this.#run(side).simulation.objects());
  events = (side: SideName) => this.#policy.decode(this.#run(side).simulation.events());
  logs = (side: SideName, pod?: string) => this.#policy.decode(this.#run(side).simulation.logs(pod));
  kubectl: Methods["kubectl"] = (side, request) => kubectl(this.#policy, this.#run(side).simulation, request);
  actions = (side: SideName) => this.#policy.decode(this.#run(side).simulation.actions());
  exported = (side: SideName) => this.#policy.decode(this.#run(side).simulation.export());
  report = (side: SideName) => new TextDecoder().decode(this.#run(side).simulation.report());
  checkScenario: Methods["checkScenario"] = (document) => this.#ask(this.#policy.checkScenario, document);
  scenarioOf: Methods["scenarioOf"] = (manifests) => this.#ask(this.#policy.scenarioOf, manifests);
  validate: Methods["validate"] = (line) => this.#ask(this.#policy.validate, line);
  explain: Methods["explain"] = (request) => this.#ask(this.#policy.explain, request);
  schedule: Methods["schedule"] = (line) => this.#ask(this.#policy.schedule, line);
  rules = () => this.#policy.decode(this.#policy.rules());
  read = async (text: string) => (await import("./text.ts")).read(text);
  locate: Methods["locate"] = async (text, places) => (await import("./text.ts")).locate(text, places);

  #ask<Question, Answer>(ask: (bytes: Json<Question>) => Json<Result<Answer>>, question: Question): Answer {
    return this.#read<Result<Answer>, Answer>(ask(this.#policy.encode(question)));
  }

  #read<R extends Result<Answer>, Answer>(bytes: Json<R>): Answer {
    const result: Result<Answer> = this.#policy.decode(bytes);
    if (!result.ok) throw new Refused(result.problems);
    return result.value;
  }

  #run(side: SideName): Run {
    const run = this.#runs.get(side);
    if (!run) throw new Refused([{ code: "unknown-object", message: "nothing is open on this side", path: "", steps: [] }]);
    return run;
  }

  #inject(run: Run, edit: Edit): void {
    run.simulation.seek(edit.seconds);
    const bytes = run.simulation.inject(this.#policy.encode(edit.action));
    const injected = this.#read<Result<Injected>, Injected>(bytes);
    run.edits.push(edit);
    run.ids.push(injected.id);
  }

  #toTheEnd(simulation: Simulation): Position {
    for (;;) {
      const position = this.#policy.decode(simulation.seek(Infinity, STEPS));
      if (!position.paused) return position;
      this.progress({ seconds: position.seconds, steps: position.steps });
    }
  }

  #track(run: Run): Track {
    const { simulation } = run;
    const { decode } = this.#policy;
    const start = Date.parse(decode(simulation.seek(0)).time);
    const position = this.#toTheEnd(simulation);
    const frame = decode(simulation.frame());
    const track: Track = {
      start,
      seconds: position.seconds,
      outcome: frame.ending?.outcome ?? "deadline",
      why: frame.ending?.why ?? [],
      lanes: frame.lanes,
      jobs: frame.jobs,
      cronJobs: frame.cronJobs,
      cost: frame.cost,
      decisionCount: position.decisions,
      marks: position.decisions > MOST_MARKS ? [] : this.#marks(simulation, position.decisions, start),
      injected: decode(simulation.injected()),
      assertions: decode(simulation.assertions()),
    };
    this.#disruptions(simulation, track.lanes);
    return track;
  }

  #marks(simulation: Simulation, count: number, start: number): Mark[] {
    const marks: Mark[] = [];
    for (let from = 0; from < count; from += CHUNK) {
      const decisions = this.#policy.decode(simulation.decisions(from, CHUNK));
      if (decisions.length === 0) break;
      for (const decision of decisions) marks.push(markOf(decision, start));
    }
    return marks;
  }

  /** A Pod that is gone has no conditions any more: its disruption is read at a time at which it was there. */
  #disruptions(simulation: Simulation, lanes: Lane[]): void {
    const times = new Set<number>();
    for (const { stage, stages } of lanes) {
      const disturbed = stages.find(([, name]) => name === "terminating");
      if (stage === "gone" && disturbed) times.add(disturbed[0]);
    }
    for (const seconds of [...times].slice(0, MOST_LOOKS)) {
      simulation.seek(seconds);
      for (const { place, disruption } of this.#policy.decode(simulation.frame()).lanes) {
        const lane = lanes[place];
        if (disruption && lane) lane.disruption = disruption;
      }
    }
  }

  #explained(simulation: Simulation, request: ExplainMomentRequest): Explained {
    const { decode, encode } = this.#policy;
    simulation.seek(request.seconds);
    const frame = decode(simulation.frame(encode({ lanes: { count: 0 } })));
    const target = request.target ?? defaultTarget(frame);
    const answer = target ? decode(simulation.why(encode(target))) : null;
    return {
      seconds: frame.seconds,
      next: decode(simulation.next()),
      why: answer?.ok ? answer.value : null,
    };
  }
}

/** What is explained when nothing is selected. */
function defaultTarget(frame: Frame): WhyTarget | null {
  const [cronJob] = frame.cronJobs;
  if (cronJob) return { kind: "cronJob", name: cronJob.name };
  const [job] = frame.jobs;
  return job ? { kind: "job", name: job.name } : null;
}

function markOf(decision: Decision, start: number): Mark {
  const waits = (decision.findings ?? []).some(
    ({ rule, verdict }) => verdict === "held" && (rule === "creation-waits-for-backoff" || rule === "creation-waits-for-index-backoff"),
  );
  return {
    number: decision.number,
    seconds: decision.seconds,
    controller: decision.controller,
    object: decision.object,
    verdict: decision.verdict,
    wake: decision.wake ? (Date.parse(decision.wake) - start) / 1000 : null,
    waits,
    calls: decision.calls,
    error: decision.error ?? null,
    changes: decision.changes,
  };
}

type AsyncMethods = { [Name in keyof Methods]: (...given: Parameters<Methods[Name]>) => ReturnType<Methods[Name]> };
