// Lanes into rows: one for each index of an Indexed Job, else one for each Pod.

import type { Lane, Stage } from "policy-wasm";

export interface Row {
  key: string;
  /** The part of the name that the Pods share, shortened, and what is its own. */
  prefix: string;
  label: string;
  job: string | null;
  index: number | null;
  lanes: Lane[];
  /** Seconds at which it begins. */
  begins: number;
}

export interface Segment {
  stage: Stage;
  from: number;
  to: number;
}

/** What a Pod did, from when to when; what lasts, lasts until `end`. */
export function segments(lane: Lane, end: number): Segment[] {
  return lane.stages.map(([from, stage], place) => ({ stage, from, to: lane.stages[place + 1]?.[0] ?? Math.max(end, from) }));
}

function label(lane: Lane): { prefix: string; label: string } {
  const cut = lane.pod.lastIndexOf("-");
  const [front, own] = cut < 0 ? ["", lane.pod] : [lane.pod.slice(0, cut + 1), lane.pod.slice(cut + 1)];
  const tail = front.replace(/-$/, "").split("-").pop() ?? "";
  const prefix = front ? `…${tail.slice(-9)}-` : "";
  return lane.index === null ? { prefix, label: own } : { prefix: "", label: String(lane.index) };
}

/** Rows in the order in which they begin; indexes of a Job in their order. */
export function rowsOf(lanes: Lane[]): Row[] {
  const rows = new Map<string, Row>();
  for (const lane of lanes) {
    const key = lane.index === null ? lane.pod : `${lane.job}/${lane.index}`;
    const row = rows.get(key);
    if (row) row.lanes.push(lane);
    else rows.set(key, { key, ...label(lane), job: lane.job, index: lane.index, lanes: [lane], begins: lane.stages[0]?.[0] ?? 0 });
  }
  const place = new Map<string | null, number>();
  for (const { job } of rows.values()) if (!place.has(job)) place.set(job, place.size);
  const order = (row: Row) => (row.index === null ? 0 : (place.get(row.job) ?? 0) + 1);
  return [...rows.values()].sort((one, other) =>
    order(one) - order(other) || (one.index ?? 0) - (other.index ?? 0) || one.begins - other.begins);
}

/** The Pod of a row that is there at a time: the last one that has begun. */
export function laneAt(row: Row, seconds: number): Lane | null {
  return row.lanes.findLast((lane) => (lane.stages[0]?.[0] ?? 0) <= seconds) ?? null;
}

export interface Wait {
  from: number;
  to: number;
  /** Seconds that it was meant to last. */
  meant: number;
  /** It ended earlier: a longer one took its place, or something else happened. */
  short: boolean;
  object: string;
}
