// What is written above a run's lanes.

import type { CronJobFrame, Frame, JobFrame } from "policy-wasm";

import type { Key } from "../i18n/en.ts";
import type { Track } from "./model.ts";

export type CountField = "active" | "ready" | "terminating" | "succeeded" | "failed";
const FIELDS: CountField[] = ["active", "ready", "terminating", "succeeded", "failed"];

export interface Count {
  field: CountField;
  value: number;
  of: number | null;
}

/** The counters of a Job, or the sums of several. */
export function countsOf(jobs: JobFrame[]): Count[] {
  const sum = (field: CountField) => jobs.reduce((total, { status }) => total + (status[field] ?? 0), 0);
  const wanted = jobs.every(({ completions }) => completions !== null) ? jobs.reduce((total, { completions }) => total + (completions ?? 0), 0) : null;
  return FIELDS.map((field) => ({ field, value: sum(field), of: field === "succeeded" && wanted ? wanted : null }));
}

export interface State {
  /** Failed, succeeded, waiting, running. */
  tone: "f" | "s" | "w" | "r";
  waiting?: boolean;
  key: Key;
  values?: Record<string, string | number>;
  /** Kubernetes' own words instead of ours. */
  text?: string;
  /** A length of time to fill in. */
  seconds?: number;
}

/** What the Jobs of a run are at, in a word or two. */
export function stateOf(frame: Frame, track: Track): State {
  if (!frame.controller.up) return { tone: "w", key: "state.controller-down" };
  const [job] = frame.jobs;
  if (frame.jobs.length === 1 && job && frame.cronJobs.length === 0) return ofJob(job, frame, track);
  const [cronJob] = frame.cronJobs;
  if (cronJob && !frame.jobs.some(({ finished }) => finished === null)) return ofCronJob(cronJob, frame);
  const complete = frame.jobs.filter(({ finished }) => finished === "Complete").length;
  const failed = frame.jobs.filter(({ finished }) => finished === "Failed").length;
  const all = complete + failed === frame.jobs.length && frame.jobs.length > 0;
  return {
    tone: failed > 0 ? "f" : all ? "s" : frame.jobs.length > 0 ? "r" : "w",
    key: frame.jobs.length === 1 ? "state.jobs.one" : "state.jobs", values: { n: frame.jobs.length, complete, failed },
  };
}

function ofJob(job: JobFrame, frame: Frame, track: Track): State {
  const ended = job.status.conditions?.find(({ type, status }) => type === job.finished && status === "True");
  if (ended) return { tone: job.finished === "Failed" ? "f" : "s", key: "state.running", text: [ended.type, ended.reason].filter(Boolean).join(" · ") };
  if (job.deleting) return { tone: "w", key: "state.deleting" };
  if (job.suspended) return { tone: "w", key: "state.suspended" };
  const left = waitEnd(track, job, frame.seconds) - frame.seconds;
  if (left > 0) return { tone: "w", waiting: true, key: "state.retry", seconds: left };
  if (frame.ending?.outcome === "quiescent") return { tone: "w", key: "state.quiescent" };
  return { tone: "r", key: job.status.startTime ? "state.running" : "state.starting" };
}

/** When the wait ends that the Job's last decision began; 0 when it waits for nothing. */
function waitEnd({ marks }: Track, { name }: JobFrame, seconds: number): number {
  const last = marks.findLast((mark) => mark.seconds <= seconds + 1e-6 && mark.object === `Job/${name}`);
  return last?.waits ? (last.wake ?? 0) : 0;
}

function ofCronJob(cronJob: CronJobFrame, frame: Frame): State {
  if (cronJob.suspended) return { tone: "w", key: "state.cron-suspended" };
  const [next] = cronJob.nextRuns;
  if (!next) return { tone: "f", key: "state.no-run" };
  return { tone: "w", key: "state.next-run", seconds: Math.max(0, (Date.parse(next) - Date.parse(frame.time)) / 1000) };
}

/** Conditions in the order in which they came, with their seconds. */
export function conditionsOf(job: JobFrame, start: number): { type: string; status: string; seconds: number | null }[] {
  return (job.status.conditions ?? []).map(({ type, status, lastTransitionTime }) => ({
    type, status, seconds: lastTransitionTime ? Math.max(0, (Date.parse(lastTransitionTime) - start) / 1000) : null,
  }));
}
