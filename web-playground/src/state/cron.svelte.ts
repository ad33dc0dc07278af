// The CronJob view: the CronJob that is shown, what became of its runs, and a schedule with a zone to try.

import type { Lane, ScheduleAnswer } from "policy-wasm";

import { cronRuns, duesOf, type CronRun, type Due } from "../lib/cron.ts";
import { Refused } from "../lib/model.ts";
import { clockChanges, hourOf, isZone, type ClockChange } from "../lib/zones.ts";
import { Stopped } from "./client.ts";
import { store } from "./store.svelte.ts";

export const POLICIES = ["Forbid", "Allow", "Replace"] as const;
export type Policy = (typeof POLICIES)[number];

export interface CronSpec {
  name: string;
  schedule: string;
  timeZone: string | null;
  policy: Policy;
  deadline: number | null;
}

/** A night on which clocks change, and what the schedule makes of it. */
export interface Night extends ClockChange {
  /** Runs within three hours of the change, as instants. */
  runs: number[];
  /** Wall times of the schedule that do not exist, or that come twice. */
  odd: string[];
}

export interface NextRun {
  at: number;
  /** Whether its wall time comes twice; wall times before it that do not exist. */
  twice: boolean;
  skipped: string[];
}

const HOUR = 3_600_000;
export const AROUND = 3 * HOUR;
/** More runs are not drawn. */
const MOST_DUES = 600;
const NEXT = 8;
/** How far ahead clock changes are looked for: two of them in nearly every zone that has any. */
const AHEAD = 400 * 24 * HOUR;

class Cron {
  spec = $state.raw<CronSpec | null>(null);
  times = $state.raw<number[]>([]);
  others = $state.raw<Partial<Record<Policy, Lane[]>>>({});
  /** What is in the schedule box. */
  schedule = $state("*/30 * * * *");
  zone = $state("Europe/Berlin");
  answer = $state.raw<ScheduleAnswer | null>(null);
  next = $state.raw<NextRun[]>([]);
  nights = $state.raw<Night[]>([]);

  readonly knownZone: string = $derived(isZone(this.zone) ? this.zone : "UTC");
  /** The zone of the CronJob, in which its runs are shown. */
  readonly ownZone: string = $derived(this.spec?.timeZone && isZone(this.spec.timeZone) ? this.spec.timeZone : "UTC");
  readonly runs: CronRun[] = $derived(this.#runsOf(store.a.track?.lanes ?? []));
  readonly dues: Due[] = $derived(duesOf(this.times, this.runs));
  /** Runs under each policy: that which is in effect first. */
  readonly lanes: { policy: Policy; runs: CronRun[] }[] = $derived.by(() => {
    const own = this.spec?.policy;
    if (!own) return [];
    const others = POLICIES.flatMap((policy) => (policy !== own && this.others[policy] ? [{ policy, runs: this.#runsOf(this.others[policy]) }] : []));
    return [{ policy: own, runs: this.runs }, ...others];
  });

  #turn = 0;
  #asked = 0;

  /** Finds the CronJob of the run that is open. */
  async read(): Promise<void> {
    const { track } = store.a;
    const turn = (this.#turn += 1);
    if (!track) return;
    this.others = {};
    const document = await store.client.call("exported", ["a"]);
    const manifests = (document.manifests ?? []) as Manifest[];
    const spec = specOf(manifests.find(({ kind }) => kind === "CronJob"));
    if (turn !== this.#turn) return;
    this.spec = spec;
    this.times = [];
    if (!spec) return;
    [this.schedule, this.zone] = [spec.schedule, spec.timeZone ?? "UTC"];
    const answer = await this.#times(spec.schedule, spec.timeZone, track.start - 1000, MOST_DUES);
    if (turn !== this.#turn) return;
    const end = endOf(spec.name);
    this.times = answer.map((at) => (at - track.start) / 1000).filter((seconds) => seconds >= 0 && seconds < end);
    const others = await store.client.call("policies", ["a", spec.name, POLICIES.filter((policy) => policy !== spec.policy)]);
    if (turn === this.#turn) this.others = others;
  }

  /** Answers the schedule box, from an instant on. */
  async ask(from: number): Promise<void> {
    const asked = (this.#asked += 1);
    try {
      const answer = await store.client.call("schedule", [{ schedule: this.schedule, timeZone: this.zone || null, from: isoOf(from), n: NEXT }]);
      if (asked !== this.#asked) return;
      this.answer = answer;
      if (answer.error !== null || answer.exhausted || !isZone(this.zone)) {
        [this.next, this.nights] = [[], []];
        return;
      }
      const changes = clockChanges(this.knownZone, from - 12 * HOUR, from + AHEAD).slice(0, 2);
      const nights = await Promise.all(changes.map((change) => this.#night(change)));
      if (asked !== this.#asked) return;
      this.nights = nights;
      this.next = (answer.times ?? []).map(Date.parse).map((at, place, all) => nextRun(at, all[place - 1] ?? from, nights));
    } catch (error) {
      if (error instanceof Refused) this.answer = { id: null, error: error.problems[0]?.message ?? error.message };
      else if (!(error instanceof Stopped)) throw error;
    }
  }

  async #night(change: ClockChange): Promise<Night> {
    const all = await this.#times(this.schedule, this.zone, change.at - AROUND - 1000, MOST_DUES);
    const runs = all.filter((at) => at <= change.at + AROUND);
    const [first, last] = [change.at + Math.min(change.before, change.after), change.at + Math.max(change.before, change.after)];
    if (change.after > change.before) {
      // The same schedule on clocks that do not change: what of it falls between.
      const wall = await this.#times(this.schedule, "UTC", first - 1000, MOST_DUES);
      return { ...change, runs, odd: wall.filter((at) => at >= first && at < last).map(hourOf) };
    }
    const walls = runs.map((at) => at + (at < change.at ? change.before : change.after)).filter((wall) => wall >= first && wall < last);
    return { ...change, runs, odd: [...new Set(walls.filter((wall, place) => walls.indexOf(wall) < place))].map(hourOf) };
  }

  async #times(schedule: string, timeZone: string | null, from: number, n: number): Promise<number[]> {
    const { times } = await store.client.call("schedule", [{ schedule, timeZone: timeZone || null, from: isoOf(from), n }]);
    return (times ?? []).map(Date.parse);
  }

  #runsOf(lanes: Lane[]): CronRun[] {
    const { track } = store.a;
    return track && this.spec ? cronRuns(lanes, this.spec.name, track.start, track.seconds) : [];
  }
}

const isoOf = (at: number) => new Date(at).toISOString();

/** When a CronJob is no more, in seconds: after its last decision if it is not there at the end. */
function endOf(name: string): number {
  const { track } = store.a;
  if (!track) return 0;
  if (track.cronJobs.some((cronJob) => cronJob.name === name)) return track.seconds;
  const last = track.marks.findLast(({ object }) => object === `CronJob/${name}`);
  return last?.wake ?? last?.seconds ?? track.seconds;
}

interface Manifest {
  kind?: unknown;
  metadata?: { name?: unknown };
  spec?: { schedule?: unknown; timeZone?: unknown; concurrencyPolicy?: unknown; startingDeadlineSeconds?: unknown };
}

function specOf(manifest: Manifest | undefined): CronSpec | null {
  const { metadata, spec } = manifest ?? {};
  if (typeof metadata?.name !== "string" || typeof spec?.schedule !== "string") return null;
  return {
    name: metadata.name,
    schedule: spec.schedule,
    timeZone: typeof spec.timeZone === "string" ? spec.timeZone : null,
    policy: POLICIES.find((policy) => policy === spec.concurrencyPolicy) ?? "Allow",
    deadline: typeof spec.startingDeadlineSeconds === "number" ? spec.startingDeadlineSeconds : null,
  };
}

function nextRun(at: number, before: number, nights: Night[]): NextRun {
  const around = nights.find((night) => Math.abs(night.at - at) <= AROUND && night.after < night.before);
  const wall = around && hourOf(at + (at < around.at ? around.before : around.after));
  const gap = nights.find((night) => night.after > night.before && before < night.at && at >= night.at);
  return { at, twice: wall !== undefined && (around?.odd.includes(wall) ?? false), skipped: gap?.odd ?? [] };
}

export const cron = new Cron();
