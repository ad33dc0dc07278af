// Every index (or Pod) over time, a row each: the composition at a time is a vertical slice.

import type { Stage } from "policy-wasm";

import { segments, type Row } from "../lib/rows.ts";
import { clock, tickStep } from "../lib/time.ts";
import { cross } from "./canvas.ts";
import { scaleOf, type Scale } from "./scale.ts";
import type { Paint } from "./theme.ts";

export type RowState = "none" | Exclude<Stage, "gone"> | "waiting";

export interface IndexesView {
  rows: Row[];
  end: number;
  width: number;
  height: number;
  paint: Paint;
}

type Context = CanvasRenderingContext2D;
export const LEFT = 44;
export const BOTTOM = 22;

export const indexesScale = ({ width, end }: { width: number; end: number }): Scale => scaleOf({ from: 0, to: end }, LEFT, width - 8);

/** What a row is at, at a time. */
export function stateAt(row: Row, seconds: number): RowState {
  let state: RowState = "none";
  for (const { stages } of row.lanes) {
    for (const [from, stage] of stages) {
      if (from > seconds) break;
      if (stage !== "gone") state = stage;
      // A Pod that went before it had ended leaves a row without one.
      else if (state !== "succeeded" && state !== "failed") state = "waiting";
    }
  }
  return state;
}

/** How many rows are in each state. */
export function statesAt(rows: Row[], seconds: number): Record<RowState, number> {
  const counts: Record<RowState, number> = { none: 0, pending: 0, backOff: 0, running: 0, terminating: 0, succeeded: 0, failed: 0, waiting: 0 };
  for (const row of rows) counts[stateAt(row, seconds)] += 1;
  return counts;
}

/** A row's last stage that is an end, and when it came. */
function endOf(row: Row): { at: number; stage: "succeeded" | "failed" } | null {
  const last = row.lanes.at(-1)?.stages.findLast(([, stage]) => stage === "succeeded" || stage === "failed");
  return last ? { at: last[0], stage: last[1] as "succeeded" | "failed" } : null;
}

/** The whole run as if it were over; `pale` is how the future looks. */
export function drawIndexes(context: Context, view: IndexesView, pale: boolean): void {
  const scale = indexesScale(view);
  const { rows, paint } = view;
  const high = view.height - BOTTOM;
  const y = (place: number) => (place / rows.length) * high;
  const row = Math.max(0.7, high / rows.length);
  context.fillStyle = paint.color.sunk;
  context.fillRect(LEFT, 0, scale.right - LEFT, high);
  const step = tickStep(view.end, Math.max(2, view.width / 120));
  context.fillStyle = paint.color.line;
  for (let seconds = 0; seconds <= view.end; seconds += step) context.fillRect(Math.round(scale.x(seconds)), 0, 1, high);
  context.globalAlpha = pale ? 0.3 : 1;
  if (!pale) drawDone(context, view, scale, y, row);
  for (const stage of ["pending", "running", "terminating", "backOff"] as const) {
    context.fillStyle = stage === "running" || stage === "terminating" ? paint.color.run : stage === "pending" ? paint.pending : paint.backOff;
    rows.forEach((each, place) => {
      for (const lane of each.lanes) {
        for (const part of segments(lane, view.end)) {
          if (part.stage === stage) context.fillRect(scale.x(part.from), y(place), Math.max(0.7, scale.x(part.to) - scale.x(part.from)), row);
        }
      }
    });
  }
  drawEnds(context, view, scale, y, row);
  context.globalAlpha = 1;
}

/** A wash from a row's end on. */
function drawDone(context: Context, { rows, paint }: IndexesView, scale: Scale, y: (place: number) => number, height: number): void {
  for (const stage of ["succeeded", "failed"] as const) {
    context.fillStyle = stage === "succeeded" ? paint.color.oktint : paint.color.failtint;
    rows.forEach((row, place) => {
      const end = endOf(row);
      if (end?.stage === stage) context.fillRect(scale.x(end.at), y(place), scale.right - scale.x(end.at), height + 0.35);
    });
  }
}

/** Ends and failures; failures keep a size that can be seen. */
function drawEnds(context: Context, { rows, paint, end }: IndexesView, scale: Scale, y: (place: number) => number, height: number): void {
  const fails: [number, number][] = [];
  context.fillStyle = paint.color.ok;
  rows.forEach((row, place) => {
    for (const { stages } of row.lanes) {
      for (const [seconds, stage] of stages) {
        if (stage === "succeeded") context.fillRect(scale.x(seconds) - 1, y(place), 3, height + 0.4);
        else if (stage === "failed") fails.push([scale.x(Math.min(seconds, end)), y(place) + height / 2]);
      }
    }
  });
  context.strokeStyle = paint.color.fail;
  // Thousands of crosses would be a blot: then a dot of the same colour says as much.
  if (fails.length > 4000) {
    context.fillStyle = paint.color.fail;
    for (const [x, top] of fails) context.fillRect(x - 1, top - 1, 2, 2);
    return;
  }
  context.lineWidth = 1.7;
  for (const [x, top] of fails) cross(context, x, Math.max(3, top), 2.6);
}

/** Numbers beside and below. */
export function drawAxes(context: Context, view: IndexesView): void {
  const scale = indexesScale(view);
  const high = view.height - BOTTOM;
  context.font = `11px ${view.paint.sans}`;
  context.fillStyle = view.paint.color.ink2;
  context.textAlign = "right";
  const count = view.rows.length;
  const by = Math.max(1, 10 ** Math.floor(Math.log10(Math.max(1, count / 4)))) * (count / 10 ** Math.floor(Math.log10(Math.max(1, count))) > 4 ? 2 : 1);
  for (let place = 0; place < count; place += by) context.fillText(String(view.rows[place]?.index ?? place), LEFT - 6, Math.min(Math.max((place / count) * high + 4, 9), high));
  context.textAlign = "center";
  const step = tickStep(view.end, Math.max(2, view.width / 120));
  for (let seconds = 0; seconds <= view.end; seconds += step) context.fillText(clock(seconds), Math.min(Math.max(scale.x(seconds), LEFT + 12), view.width - 20), view.height - 6);
}

/** The playhead and the frame of the lens. */
export function drawIndexesFront(context: Context, view: IndexesView, now: number, lens: { from: number; to: number; first: number; count: number }): void {
  const scale = indexesScale(view);
  const high = view.height - BOTTOM;
  const { color, mono } = view.paint;
  context.strokeStyle = color.selline;
  context.lineWidth = 1.5;
  const top = (lens.first / view.rows.length) * high;
  context.strokeRect(scale.x(lens.from), top - 1, scale.x(lens.to) - scale.x(lens.from), Math.max(5, (lens.count / view.rows.length) * high + 2));
  const x = scale.x(now);
  context.strokeStyle = color.ink;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, high);
  context.stroke();
  const text = clock(now);
  context.font = `500 11px ${mono}`;
  const width = context.measureText(text).width + 14;
  const left = Math.min(Math.max(x - width / 2, 2), view.width - width - 2);
  context.fillStyle = color.ink;
  context.beginPath();
  context.roundRect(left, 0, width, 18, 9);
  context.fill();
  context.fillStyle = color.panel;
  context.textAlign = "center";
  context.fillText(text, left + width / 2, 13);
}

const stateColor = (paint: Paint): Record<RowState, string> => ({
  none: paint.color.line2, pending: paint.color.pendingline, backOff: paint.color.wait, running: paint.color.run, terminating: paint.color.run,
  succeeded: paint.color.ok, failed: paint.color.fail, waiting: paint.color.wait,
});

/** The whole range at a time, as a strip: of several rows on a pixel the worst is seen. */
export function drawStrip(context: Context, view: IndexesView, now: number): void {
  const order: RowState[] = ["none", "succeeded", "running", "pending", "terminating", "waiting", "backOff", "failed"];
  const colors = stateColor(view.paint);
  const high = view.height - BOTTOM;
  const states = view.rows.map((row) => order.indexOf(stateAt(row, now)));
  for (let pixel = 0; pixel < high; pixel += 1) {
    const from = Math.floor((pixel / high) * states.length);
    const to = Math.max(from + 1, Math.floor(((pixel + 1) / high) * states.length));
    let worst = 0;
    for (let place = from; place < to; place += 1) worst = Math.max(worst, states[place] ?? 0);
    const state = order[worst] ?? "none";
    context.fillStyle = colors[state];
    if (state === "failed") context.fillRect(0, pixel - 1, view.width, 3);
    else context.fillRect(3, pixel, view.width - 6, 1);
  }
}

/** A square for each row, forty beside each other. */
export function drawMap(context: Context, rows: Row[], now: number, width: number, height: number, columns: number, paint: Paint, selected: number | null): void {
  const colors = stateColor(paint);
  const [cell, high] = [width / columns, height / Math.ceil(rows.length / columns)];
  const gap = Math.min(1.1, cell / 6, high / 6);
  rows.forEach((row, place) => {
    const state = stateAt(row, now);
    const [x, y] = [(place % columns) * cell + gap, Math.floor(place / columns) * high + gap];
    const [w, h] = [cell - gap * 2, high - gap * 2];
    context.fillStyle = context.strokeStyle = colors[state];
    context.lineWidth = 1;
    if (state === "none") context.strokeRect(x + 0.5, y + 0.5, Math.max(0.5, w - 1), Math.max(0.5, h - 1));
    else if (state === "failed" && w > 4 && h > 4) {
      context.fillStyle = paint.color.failtint;
      context.fillRect(x, y, w, h);
      context.lineWidth = 2;
      cross(context, x + w / 2, y + h / 2, Math.min(w, h) / 3);
    } else if ((state === "waiting" || state === "backOff") && w > 4) {
      context.fillStyle = paint.backOff;
      context.fillRect(x, y, w, h);
      context.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
    } else if (state === "pending") {
      context.globalAlpha = 0.55;
      context.fillRect(x, y, w, h);
      context.globalAlpha = 1;
    } else context.fillRect(x, y, w, h);
    if (place === selected) {
      context.strokeStyle = paint.color.ink;
      context.lineWidth = 2;
      context.strokeRect(x - 1, y - 1, w + 2, h + 2);
    }
  });
}
