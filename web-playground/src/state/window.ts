// Which part of a run is in sight at first.

import type { Window } from "../draw/scale.ts";
import { segments } from "../lib/rows.ts";
import type { Side } from "./side.svelte.ts";

/** Runs of containers that are looked at; more do not change the median much. */
const ENOUGH = 400;

/** So much that bars can be read, and at least two fifths of the run. */
export function firstWindow(sides: Side[], end: number): Window {
  const lengths: number[] = [];
  for (const { track } of sides) {
    for (const lane of track?.lanes.slice(0, ENOUGH) ?? []) {
      for (const { stage, from, to } of segments(lane, track?.seconds ?? 0)) if (stage === "running") lengths.push(to - from);
    }
  }
  lengths.sort((one, other) => one - other);
  const median = lengths[lengths.length >> 1] ?? end;
  const span = Math.min(end, Math.max(median * 8, end / 2.5));
  // What is nearly all of it is all of it.
  return { from: 0, to: span > end * 0.75 ? end : span };
}
