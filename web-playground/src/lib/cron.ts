// The runs of a CronJob as they are to be drawn.

import type { Lane } from "policy-wasm";

export interface CronRun {
  job: string;
  /** When it was due, in seconds of the run: Jobs of CronJobs are named after that minute. */
  due: number;
  from: number;
  to: number;
  /** `cut`: its Pods were deleted while it ran. */
  end: "complete" | "failed" | "cut" | "running";
  /** Its row among those that overlap. */
  row: number;
}

export interface Due {
  seconds: number;
  fate: "onTime" | "late" | "missed";
  /** Seconds between the time it was due and its Job's first Pod. */
  late: number;
  run: CronRun | null;
}

/** A Job that begins so many seconds after its time is late. */
const LATE = 5;
/** Rows of overlapping runs; more are drawn over each other. */
const MOST_ROWS = 3;

/** The Jobs of a CronJob, by what their Pods did. */
export function cronRuns(lanes: Lane[], name: string, start: number, end: number): CronRun[] {
  const runs = new Map<string, CronRun>();
  for (const { job, stages } of lanes) {
    const minute = job?.startsWith(`${name}-`) ? /^\d+$/.exec(job.slice(name.length + 1))?.[0] : undefined;
    const [first] = stages;
    if (!job || minute === undefined || !first) continue;
    const run: CronRun = { job, due: (Number(minute) * 60_000 - start) / 1000, from: first[0], ...endOf(stages, end), row: 0 };
    const known = runs.get(job);
    // Another Pod of the same Job: what the last one came to is what the Job came to.
    runs.set(job, known ? { ...run, from: Math.min(known.from, run.from), to: Math.max(known.to, run.to) } : run);
  }
  return intoRows([...runs.values()].sort((one, other) => one.from - other.from));
}

function endOf(stages: Lane["stages"], end: number): Pick<CronRun, "to" | "end"> {
  for (const [seconds, stage] of stages) {
    if (stage === "succeeded") return { to: seconds, end: "complete" };
    if (stage === "failed") return { to: seconds, end: "failed" };
    if (stage === "terminating" || stage === "gone") return { to: seconds, end: "cut" };
  }
  return { to: end, end: "running" };
}

function intoRows(runs: CronRun[]): CronRun[] {
  const ends: number[] = [];
  for (const run of runs) {
    const free = ends.findIndex((end) => end <= run.from + 1e-6);
    run.row = free >= 0 ? free : Math.min(ends.length, MOST_ROWS - 1);
    ends[run.row] = run.to;
  }
  return runs;
}

/** What came of each time at which it was due. */
export function duesOf(times: number[], runs: CronRun[]): Due[] {
  const made = new Map(runs.map((run) => [Math.round(run.due), run]));
  return times.map((seconds): Due => {
    const run = made.get(Math.round(seconds)) ?? null;
    const late = run ? run.from - seconds : 0;
    return { seconds, run, late, fate: run ? (late > LATE ? "late" : "onTime") : "missed" };
  });
}

/** How many runs there are at most at once. */
export const mostAtOnce = (runs: CronRun[]): number =>
  Math.max(0, ...runs.map(({ from }) => runs.filter((other) => other.from <= from + 1e-6 && other.to > from + 1e-6).length));
