// The page's one store: two runs, a clock, what is in sight and what is selected. Panels read it and call its methods.

import type { Parting, Problem, Rule } from "policy-wasm";

import { clampWindow, zoomWindow, type Window } from "../draw/scale.ts";
import { Refused, SIDES, type Edit, type Selection, type SideName, type Source } from "../lib/model.ts";
import { Client, Stopped, type Progress } from "./client.ts";
import { Side } from "./side.svelte.ts";
import { firstWindow } from "./window.ts";

export type View = "timeline" | "indexes" | "cronjob";
export type Panel = "scenario" | "timeline" | "why" | "kubectl" | "break";
export type KubectlTab = "get" | "describe" | "logs" | "events";
export const SPEEDS = [1, 10, 60, 600] as const;

/** Milliseconds between two explanations while playing. */
const EXPLAIN_EVERY = 160;

export class Store {
  readonly client = new Client();
  readonly a = new Side("a");
  readonly b = new Side("b");

  time = $state(0);
  playing = $state(false);
  speed = $state<number>(10);
  window = $state.raw<Window>({ from: 0, to: 60 });
  view = $state<View>("timeline");
  panel = $state<Panel>("timeline");
  tab = $state<KubectlTab>("get");
  selection = $state.raw<Selection | null>(null);
  parting = $state.raw<Parting | null>(null);
  rules = $state.raw<Rule[]>([]);
  /** What the worker is at, when it takes long. */
  progress = $state.raw<Progress | null>(null);
  opening = $state(false);
  stopped = $state(false);
  /** What a share link held that could not be read. */
  linkProblems = $state.raw<string[]>([]);

  readonly sides: Side[] = $derived([this.a, this.b].filter(({ track }) => track !== null));
  readonly comparing: boolean = $derived(this.a.track !== null && this.b.track !== null);
  /** The end of the longer run. */
  readonly end: number = $derived(Math.max(0.001, ...this.sides.map(({ track }) => track?.seconds ?? 0)));
  /** How far the timeline goes: marks at the end need room. */
  readonly extent: number = $derived(this.end * 1.08);
  /** Times of decisions of either run, in order. */
  readonly stops: number[] = $derived(stopsOf(this.sides));
  readonly decision: number = $derived(countUntil(this.stops, this.time));
  readonly partSeconds: number | null = $derived(this.comparing ? (this.parting?.seconds ?? null) : null);

  #wanted = false;
  #asking = false;
  #explainAfter = 0;
  #generation = 0;

  side(name: SideName): Side {
    return name === "a" ? this.a : this.b;
  }

  /** Shows one run, or two beside each other, from a time. */
  async show(a: Source, b: Source | null, at = 0, window: Window | null = null): Promise<boolean> {
    const generation = (this.#generation += 1);
    this.pause();
    this.stopped = false;
    this.opening = true;
    const opened = await this.#open(this.a, a);
    if (generation !== this.#generation) return false;
    if (opened) this.selection = null;
    if (opened && b) await this.#open(this.b, b);
    if (opened && !b) this.closeB();
    if (generation !== this.#generation) return false;
    this.opening = false;
    this.progress = null;
    if (!opened) return false;
    await this.#compared();
    this.window = window ? clampWindow(window, this.extent) : firstWindow(this.sides, this.extent);
    this.seek(at);
    return true;
  }

  /** Sets another run beside the first one, or none. */
  async compareWith(b: Source | null): Promise<void> {
    if (!b) {
      this.closeB();
      return this.refresh();
    }
    this.opening = true;
    await this.#open(this.b, b);
    this.opening = false;
    this.progress = null;
    await this.#compared();
    this.window = clampWindow(this.window, this.extent);
    this.refresh();
  }

  closeB(): void {
    if (this.b.track) void this.client.call("close", ["b"]);
    this.b.clear();
    this.parting = null;
  }

  /** Makes a side's run one with these edits. False when they are refused: then nothing has changed. */
  async edit(side: SideName, edits: Edit[]): Promise<Problem[]> {
    const run = this.side(side);
    if (!run.source) return [];
    try {
      run.track = await this.client.call("edit", [side, edits], (progress) => (this.progress = progress));
      run.source = { ...run.source, edits };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await this.#open(run, run.source);
      return error.problems;
    } finally {
      this.progress = null;
    }
    await this.#compared();
    this.window = clampWindow(this.window, this.extent);
    this.refresh();
    return [];
  }

  /** Ends what the worker is at. Nothing is shown any more until something is opened again. */
  stop(): void {
    this.#generation += 1;
    this.pause();
    this.client.stop();
    this.opening = false;
    this.progress = null;
    this.stopped = true;
    this.#asking = false;
    // What was open went with the worker.
    void this.#reopen();
  }

  seek(seconds: number): void {
    this.time = Math.min(Math.max(0, seconds), this.end);
    this.#follow();
    this.refresh();
  }

  /** To the next or the previous decision of either run. */
  step(direction: 1 | -1): void {
    this.pause();
    const next = direction > 0
      ? this.stops.find((seconds) => seconds > this.time + 1e-6)
      : this.stops.findLast((seconds) => seconds < this.time - 1e-6);
    this.seek(next ?? (direction > 0 ? this.end : 0));
  }

  play(): void {
    if (this.sides.length === 0) return;
    if (this.time >= this.end - 1e-6) this.time = 0;
    this.playing = true;
  }

  pause(): void {
    if (!this.playing) return;
    this.playing = false;
    this.refresh();
  }

  zoom(factor: number, anchor = this.time): void {
    this.window = zoomWindow(this.window, factor, anchor, this.extent);
  }

  pan(fraction: number): void {
    const { from, to } = this.window;
    const by = (to - from) * fraction;
    this.window = clampWindow({ from: from + by, to: to + by }, this.extent);
  }

  select(selection: Selection | null): void {
    this.selection = selection;
    this.refresh();
  }

  /** Asks the worker what there is to see now; one question at a time, the last one counts. */
  refresh(): void {
    this.#wanted = true;
    if (!this.#asking) void this.#ask();
  }

  async loadRules(): Promise<void> {
    this.rules = await this.client.call("rules", []);
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      while (this.#wanted) {
        this.#wanted = false;
        await this.#askOnce();
      }
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    } finally {
      this.#asking = false;
    }
  }

  /** What there is to see; then, if nobody wants another time by now, why. */
  async #askOnce(): Promise<void> {
    const request = { seconds: this.time, sides: SIDES.slice() };
    const moments = await this.client.call("moment", [request]);
    for (const side of [this.a, this.b]) if (side.track) side.moment = moments[side.name] ?? null;
    if (this.#wanted || (this.playing && performance.now() < this.#explainAfter)) return;
    const began = performance.now();
    const explained = await this.client.call("explainMoment", [{ ...request, target: this.selection?.target ?? null }]);
    for (const side of [this.a, this.b]) if (side.track) side.explained = explained[side.name] ?? null;
    const now = performance.now();
    this.#explainAfter = now + Math.max(EXPLAIN_EVERY, 4 * (now - began));
  }

  async #open(side: Side, source: Source): Promise<boolean> {
    const request = {
      scenario: source.document,
      variant: source.variant,
      ...(source.seed === null ? {} : { seed: source.seed }),
    };
    try {
      const track = await this.client.call("open", [side.name, request, source.edits], (progress) => (this.progress = progress));
      side.source = source;
      side.problems = [];
      side.moment = null;
      side.explained = null;
      side.track = track;
      return true;
    } catch (error) {
      if (error instanceof Refused) side.problems = error.problems;
      else if (!(error instanceof Stopped)) throw error;
      return false;
    }
  }

  /** Opens again what was open before the worker was stopped. */
  async #reopen(): Promise<void> {
    for (const side of [this.a, this.b]) {
      if (side.track && side.source) await this.#open(side, side.source);
    }
    this.refresh();
  }

  async #compared(): Promise<void> {
    this.parting = this.comparing ? await this.client.call("parting", []) : null;
  }

  /** Keeps the playhead in sight. */
  #follow(): void {
    const { from, to } = this.window;
    const span = to - from;
    if (this.time >= from && this.time <= (this.playing ? from + span * 0.8 : to)) return;
    const start = this.playing && this.time > from ? this.time - span * 0.8 : this.time - span * 0.2;
    this.window = clampWindow({ from: start, to: start + span }, this.extent);
  }
}

function stopsOf(sides: Side[]): number[] {
  const all = new Set<number>();
  for (const { track } of sides) for (const { seconds } of track?.marks ?? []) all.add(seconds);
  return [...all].sort((one, other) => one - other);
}

/** How many of the sorted numbers are not beyond a limit. */
function countUntil(sorted: number[], limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) <= limit + 1e-6) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const store = new Store();
