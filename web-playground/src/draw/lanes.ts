// Draws the lanes that are in sight; what comes after the playhead is pale.

import type { Lane } from "policy-wasm";

import { segments, type Row, type Segment } from "../lib/rows.ts";
import { cross, tick } from "./canvas.ts";
import type { Scale } from "./scale.ts";
import type { Paint } from "./theme.ts";

export const ROW = 24;
const BAR = 16;
/** Opacity of the future. */
const PALE = 0.4;

export interface LaneWords {
  running(seconds: number): string;
  length(seconds: number): string;
  exit(code: number): string;
  pending: string;
  gone: string;
}

export interface LaneView {
  rows: Row[];
  /** First pixel of the rows that is in sight. */
  top: number;
  width: number;
  height: number;
  scale: Scale;
  now: number;
  end: number;
  paint: Paint;
  narrow: boolean;
  /** The row that the keyboard is on. */
  focused: number | null;
  selected: string | null;
  ticks: number[];
  words: LaneWords;
}

type Context = CanvasRenderingContext2D;

export function drawLanes(context: Context, view: LaneView): void {
  grid(context, view);
  const first = Math.max(0, Math.floor(view.top / ROW) - 1);
  const last = Math.min(view.rows.length - 1, Math.ceil((view.top + view.height) / ROW));
  for (let place = first; place <= last; place += 1) {
    const row = view.rows[place];
    if (row) drawRow(context, view, row, place);
  }
}

function grid(context: Context, { ticks, scale, height, paint }: LaneView): void {
  context.fillStyle = paint.color.line;
  for (const seconds of ticks) context.fillRect(Math.round(scale.x(seconds)), 0, 1, height);
}

function drawRow(context: Context, view: LaneView, row: Row, place: number): void {
  const y = place * ROW - view.top + 4;
  const { color } = view.paint;
  if (place === view.focused || row.lanes.some((lane) => lane.pod === view.selected)) {
    context.fillStyle = color.sel;
    context.fillRect(0, y - 3, view.width, ROW - 2);
  }
  drawLabel(context, view, row, y);
  context.save();
  context.beginPath();
  context.rect(view.scale.left - 1, y - 3, view.width - view.scale.left + 1, ROW);
  context.clip();
  for (const lane of row.lanes) drawLane(context, view, lane, y);
  context.restore();
}

function drawLabel(context: Context, view: LaneView, row: Row, y: number): void {
  const { color, mono } = view.paint;
  context.font = `11px ${mono}`;
  context.textAlign = "left";
  let x = view.narrow ? 10 : 14;
  if (!view.narrow && row.prefix) {
    context.fillStyle = color.ink3;
    context.fillText(row.prefix, x, y + 12);
    x += context.measureText(row.prefix).width;
  }
  context.fillStyle = row.begins > view.now ? color.ink3 : color.ink;
  context.fillText(row.label, x, y + 12, Math.max(10, view.scale.left - x - 6));
}

function drawLane(context: Context, view: LaneView, lane: Lane, y: number): void {
  const parts = segments(lane, view.end);
  const { window } = view.scale;
  for (const [place, part] of parts.entries()) {
    // Marks are wider than the instants that they stand for.
    if (part.from > window.to || (part.to < window.from && part.stage !== "failed")) continue;
    drawPart(context, view, lane, part, y, parts[place + 1] ?? null);
  }
  for (const seconds of lane.restarts) restart(context, view, seconds, y);
  if (lane.disruption) disruption(context, view, parts, y);
}

function drawPart(context: Context, view: LaneView, lane: Lane, part: Segment, y: number, next: Segment | null): void {
  const { paint } = view;
  switch (part.stage) {
    case "pending":
      bar(context, view, part, y + 2.5, BAR - 5, paint.pending, paint.color.pendingline);
      inBar(context, view, part, y, view.words.pending, "9.5px", paint.color.ink2, paint.color.ink2, paint.color.pending);
      return;
    case "backOff":
      return bar(context, view, part, y + 0.5, BAR - 1, paint.backOff, paint.color.wait);
    case "running":
      bar(context, view, part, y, BAR, paint.color.run, null);
      return runningText(context, view, lane, part, y);
    case "terminating":
      return bar(context, view, part, y + 0.6, BAR - 1.2, paint.terminating, paint.color.run);
    case "succeeded":
      return succeeded(context, view, part, y);
    case "failed":
      return failed(context, view, lane, part, y, next);
    case "gone":
      return gone(context, view, part, y, lane);
  }
}

/** A bar, solid up to the playhead and pale after it. */
function bar(context: Context, view: LaneView, part: Segment, y: number, height: number, fill: string | CanvasPattern, line: string | null): void {
  const { scale, now } = view;
  const from = Math.max(scale.left - 20, scale.x(part.from));
  const to = Math.min(view.width + 20, Math.max(scale.x(part.to), from + 2));
  const cut = Math.min(Math.max(scale.x(now), from), to);
  const piece = (left: number, right: number, alpha: number) => {
    if (right - left < 0.3) return;
    context.globalAlpha = alpha;
    context.fillStyle = fill;
    context.fillRect(left, y, right - left, height);
    if (line) {
      context.strokeStyle = line;
      context.lineWidth = 1;
      context.strokeRect(left + 0.5, y + 0.5, Math.max(0.5, right - left - 1), height - 1);
    }
  };
  piece(from, cut, 1);
  piece(cut, to, PALE);
  context.globalAlpha = 1;
}

function runningText(context: Context, view: LaneView, lane: Lane, part: Segment, y: number): void {
  const { scale, paint, words } = view;
  const [start, to] = [Math.max(scale.x(part.from), scale.left), Math.min(scale.x(part.to), view.width)];
  // The text is not written over the mark of a restart near the bar's start.
  const marked = lane.restarts.findLast((seconds) => seconds >= part.from && scale.x(seconds) - start < 90);
  const from = marked === undefined ? start : Math.max(start, scale.x(marked) + 4);
  const length = part.to - part.from;
  const long = words.running(length);
  context.font = `500 10.5px ${paint.sans}`;
  const short = words.length(length);
  const text = context.measureText(long).width + 14 < to - from ? long : context.measureText(short).width + 10 < to - from ? short : "";
  if (!text) return;
  const cut = scale.x(view.now);
  const piece = (left: number, right: number, color: string) => {
    if (right <= left) return;
    context.save();
    context.beginPath();
    context.rect(left, y, right - left, BAR);
    context.clip();
    context.fillStyle = color;
    context.fillText(text, from + 7, y + 11.8);
    context.restore();
  };
  context.textAlign = "left";
  piece(from, Math.min(cut, to), paint.color.onrun);
  piece(Math.max(cut, from), to, paint.color.ink);
}

function inBar(context: Context, view: LaneView, part: Segment, y: number, text: string, size: string, past: string, future: string, ground: string): void {
  const { scale, paint } = view;
  const [from, to] = [Math.max(scale.x(part.from), scale.left), Math.min(scale.x(part.to), view.width)];
  context.font = `${size} ${paint.sans}`;
  const width = context.measureText(text).width;
  if (to - from < width + 8) return;
  context.textAlign = "center";
  context.globalAlpha = part.from > view.now ? 0.7 : 1;
  context.fillStyle = ground;
  context.fillRect((from + to - width) / 2 - 2, y + 3.5, width + 4, 9);
  context.fillStyle = part.from > view.now ? future : past;
  context.fillText(text, (from + to) / 2, y + 11.2);
  context.globalAlpha = 1;
}

function succeeded(context: Context, view: LaneView, part: Segment, y: number): void {
  const { scale, paint } = view;
  const x = scale.x(part.from);
  context.globalAlpha = part.from > view.now ? PALE : 1;
  context.fillStyle = paint.color.ok;
  context.beginPath();
  context.roundRect(x, y, 16, BAR, 3);
  context.fill();
  context.strokeStyle = paint.color.panel;
  context.lineWidth = 1.8;
  tick(context, x + 8, y + 8);
  context.globalAlpha = 1;
}

/** The width of a failure's mark with its exit code. */
function failedWidth(view: LaneView, lane: Lane): number {
  if (lane.exitCode === null) return 16;
  return view.narrow ? 33 : 58;
}

function failed(context: Context, view: LaneView, lane: Lane, part: Segment, y: number, next: Segment | null): void {
  const { scale, paint } = view;
  const x = scale.x(part.from);
  const width = failedWidth(view, lane);
  const future = part.from > view.now;
  context.globalAlpha = future ? PALE : 1;
  if (!next || scale.x(next.from) - x > width) tail(context, view, part, x, y);
  context.fillStyle = paint.color.fail;
  context.fillRect(x, y, width, BAR);
  context.strokeStyle = paint.color.onfail;
  context.lineWidth = 1.7;
  cross(context, x + 8, y + 8, 2.8);
  context.globalAlpha = 1;
  if (lane.exitCode === null) return;
  context.textAlign = "left";
  context.font = `600 10.5px ${paint.sans}`;
  context.fillStyle = future ? paint.color.ink : paint.color.onfail;
  context.fillText(view.narrow ? String(lane.exitCode) : view.words.exit(lane.exitCode), x + 16.5, y + 11.8, width - 18);
}

/** A failed Pod that is kept. */
function tail(context: Context, view: LaneView, part: Segment, x: number, y: number): void {
  context.strokeStyle = view.paint.color.fail;
  context.lineWidth = 1.4;
  context.setLineDash([1, 3]);
  context.beginPath();
  context.moveTo(Math.max(x, view.scale.left), y + 8);
  context.lineTo(Math.min(view.scale.x(part.to), view.width - 4), y + 8);
  context.stroke();
  context.setLineDash([]);
}

function gone(context: Context, view: LaneView, part: Segment, y: number, lane: Lane): void {
  const { scale, paint } = view;
  const before = lane.stages.findLast(([, stage]) => stage === "failed" || stage === "succeeded");
  const width = before ? (before[1] === "failed" ? failedWidth(view, lane) : 16) : 0;
  const x = Math.max(scale.x(part.from) + 3, before ? scale.x(before[0]) + width + 3 : 0);
  context.globalAlpha = part.from > view.now ? PALE : 1;
  context.strokeStyle = paint.color.ink2;
  context.fillStyle = paint.color.panel;
  context.lineWidth = 1.4;
  context.beginPath();
  context.roundRect(x, y + 3, 10, 10, 1.5);
  context.fill();
  context.stroke();
  context.beginPath();
  context.moveTo(x + 1, y + 12);
  context.lineTo(x + 9, y + 4);
  context.stroke();
  context.textAlign = "left";
  context.font = `10.5px ${paint.sans}`;
  context.fillStyle = paint.color.ink2;
  context.fillText(view.words.gone, x + 15, y + 12);
  context.globalAlpha = 1;
}

/** A small circle in the bar. */
function restart(context: Context, view: LaneView, seconds: number, y: number): void {
  context.globalAlpha = seconds > view.now ? PALE : 1;
  context.fillStyle = view.paint.color.panel;
  context.strokeStyle = view.paint.color.fail;
  context.lineWidth = 1.6;
  context.beginPath();
  context.arc(view.scale.x(seconds), y + 8, 4, 0, 7);
  context.fill();
  context.stroke();
  context.globalAlpha = 1;
}

/** A triangle above the bar where the Pod was disrupted. */
function disruption(context: Context, view: LaneView, parts: Segment[], y: number): void {
  const at = parts.find(({ stage }) => stage === "terminating") ?? parts.find(({ stage }) => stage === "failed" || stage === "gone");
  if (!at) return;
  const x = view.scale.x(at.from);
  context.globalAlpha = at.from > view.now ? PALE : 1;
  context.fillStyle = view.paint.color.warn;
  context.strokeStyle = view.paint.color.panel;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(x - 5.5, y - 3);
  context.lineTo(x + 5.5, y - 3);
  context.lineTo(x, y + 6);
  context.closePath();
  context.fill();
  context.stroke();
  context.globalAlpha = 1;
}
