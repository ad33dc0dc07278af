// Draws the whole run under the slider: what ran, what failed, the waits, the window that is in sight.

import type { Track } from "../lib/model.ts";
import { segments, type Wait } from "../lib/rows.ts";
import { clock, tickStep } from "../lib/time.ts";
import { cross } from "./canvas.ts";
import { scaleOf, type Scale, type Window } from "./scale.ts";
import type { Paint } from "./theme.ts";

export interface OverviewView {
  tracks: { track: Track; waits: Wait[]; ends: string }[];
  end: number;
  part: number | null;
  width: number;
  paint: Paint;
}

type Context = CanvasRenderingContext2D;
const LANES = 27;

export function overviewScale(width: number, end: number): Scale {
  return scaleOf({ from: 0, to: Math.max(end, 1e-3) }, 4, width - 4);
}

/** The frame around what is in sight. */
export function drawWindow(context: Context, { width, end, paint }: OverviewView, window: Window): void {
  const scale = overviewScale(width, end);
  const [from, to] = [scale.x(window.from), scale.x(Math.min(window.to, end))];
  context.fillStyle = paint.color.sel;
  context.strokeStyle = paint.color.selline;
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(from - 1.5, 1.5, to - from + 3, LANES - 2, 5);
  context.fill();
  context.stroke();
}

/** The runs from their start to their end. */
export function drawRuns(context: Context, view: OverviewView): void {
  const scale = overviewScale(view.width, view.end);
  const lone = view.tracks.length === 1;
  view.tracks.forEach((track, place) => drawTrack(context, view, scale, track, lone ? 10 : 5 + place * 10));
  drawTicks(context, view, scale);
  if (view.part === null) return;
  context.strokeStyle = view.paint.color.part;
  context.lineWidth = 1.3;
  context.setLineDash([2, 2]);
  line(context, scale.x(view.part), 1, LANES);
  context.setLineDash([]);
}

/** The playhead. */
export function drawFront(context: Context, { width, end, paint }: OverviewView, now: number): void {
  const x = overviewScale(width, end).x(now);
  context.strokeStyle = paint.color.ink;
  context.fillStyle = paint.color.ink;
  context.lineWidth = 2;
  line(context, x, 2, LANES + 2);
  context.beginPath();
  context.arc(x, 4, 3.4, 0, 7);
  context.fill();
}

function line(context: Context, x: number, from: number, to: number): void {
  context.beginPath();
  context.moveTo(x, from);
  context.lineTo(x, to);
  context.stroke();
}

function drawTrack(context: Context, view: OverviewView, scale: Scale, { track, waits, ends }: OverviewView["tracks"][number], y: number): void {
  const { paint } = view;
  context.fillStyle = paint.color.line2;
  context.fillRect(scale.left, y + 3, scale.right - scale.left, 1);
  context.fillStyle = paint.cutShort;
  for (const wait of waits) context.fillRect(scale.x(wait.from), y, scale.x(wait.to) - scale.x(wait.from), 7);
  const fails: number[] = [];
  context.fillStyle = paint.color.run;
  for (const lane of track.lanes) {
    for (const { stage, from, to } of segments(lane, track.seconds)) {
      if (stage === "running") context.fillRect(scale.x(from), y, Math.max(1, scale.x(to) - scale.x(from)), 7);
      if (stage === "failed") fails.push(from);
    }
  }
  context.fillStyle = paint.color.fail;
  for (const seconds of fails) context.fillRect(scale.x(seconds) - 1, y - 1, 3, 9);
  ending(context, view, scale, track, ends, y);
}

function ending(context: Context, view: OverviewView, scale: Scale, track: Track, ends: string, y: number): void {
  const { paint } = view;
  const x = scale.x(track.seconds);
  if (track.jobs.some(({ finished }) => finished === "Failed")) {
    context.strokeStyle = paint.color.fail;
    context.lineWidth = 1.8;
    cross(context, x, y + 3.5, 3.2);
  } else if (track.outcome === "finished") {
    context.fillStyle = paint.color.ok;
    context.fillRect(x - 2, y - 1, 4, 9);
  }
  context.font = `10px ${paint.sans}`;
  const width = context.measureText(ends).width;
  if (view.tracks.length < 2 || x + width + 16 > scale.right) return;
  context.textAlign = "left";
  context.fillStyle = paint.color.ink2;
  context.fillText(ends, x + 10, y + 7);
}

function drawTicks(context: Context, view: OverviewView, scale: Scale): void {
  const step = tickStep(view.end, Math.max(2, view.width / 70));
  context.font = `10px ${view.paint.sans}`;
  context.fillStyle = view.paint.color.ink3;
  for (let seconds = 0; seconds <= view.end + 1e-6; seconds += step) {
    const x = scale.x(seconds);
    context.textAlign = seconds === 0 ? "left" : x > scale.right - 16 ? "right" : "center";
    context.fillText(clock(seconds), seconds === 0 ? 2 : Math.min(x, scale.right + 2), 39);
  }
}
