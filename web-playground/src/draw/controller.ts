// Draws the controller's lane: decisions as diamonds, back-off waits as hatched bands.

import type { Mark } from "../lib/model.ts";
import type { Wait } from "../lib/rows.ts";
import { diamond } from "./canvas.ts";
import type { Scale } from "./scale.ts";
import type { Paint } from "./theme.ts";

export const CONTROLLER = 26;
const MIDDLE = 13;
const PALE = 0.5;

export interface ControllerView {
  marks: Mark[];
  waits: Wait[];
  width: number;
  scale: Scale;
  now: number;
  /** Seconds at which the two runs part. */
  part: number | null;
  ticks: number[];
  paint: Paint;
  narrow: boolean;
  title: string;
  backOff(seconds: number): string;
  length(seconds: number): string;
}

type Context = CanvasRenderingContext2D;

export function drawController(context: Context, view: ControllerView): void {
  const { paint, scale } = view;
  context.fillStyle = paint.color.line;
  for (const seconds of view.ticks) context.fillRect(Math.round(scale.x(seconds)), 0, 1, CONTROLLER);
  context.font = `11px ${paint.sans}`;
  context.textAlign = "left";
  context.fillStyle = paint.color.ink2;
  context.fillText(view.title, view.narrow ? 10 : 14, MIDDLE + 4);
  context.save();
  context.beginPath();
  context.rect(scale.left - 7, 0, view.width - scale.left + 7, CONTROLLER);
  context.clip();
  context.strokeStyle = paint.color.line2;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(scale.left, MIDDLE);
  context.lineTo(scale.right, MIDDLE);
  context.stroke();
  for (const wait of view.waits) drawWait(context, view, wait);
  drawMarks(context, view);
  context.restore();
}

function drawWait(context: Context, view: ControllerView, wait: Wait): void {
  const { scale, paint } = view;
  if (wait.to < scale.window.from || wait.from > scale.window.to) return;
  const from = Math.max(scale.left - 4, scale.x(wait.from));
  const width = Math.max(2, Math.min(view.width, scale.x(wait.to)) - from);
  context.fillStyle = wait.short ? paint.cutShort : paint.backOff;
  context.fillRect(from, MIDDLE - 8, width, 16);
  context.strokeStyle = paint.color.wait;
  context.setLineDash(wait.short ? [2, 2] : []);
  context.strokeRect(from + 0.5, MIDDLE - 7.5, width - 1, 15);
  context.setLineDash([]);
  if (wait.short) return;
  context.font = `500 10.5px ${paint.sans}`;
  const [long, short] = [view.backOff(wait.meant), view.length(wait.meant)];
  const text = context.measureText(long).width + 24 < width ? long : short;
  const room = context.measureText(text).width + 10;
  if (room + 14 > width) return;
  context.fillStyle = paint.color.panel;
  context.beginPath();
  context.roundRect(from + (width - room) / 2, MIDDLE - 6.5, room, 13, 3);
  context.fill();
  context.fillStyle = paint.color.ink;
  context.textAlign = "center";
  context.fillText(text, from + width / 2, MIDDLE + 3.8);
}

function drawMarks(context: Context, view: ControllerView): void {
  const { scale, paint, now } = view;
  const current = view.marks.findLast(({ seconds }) => seconds <= now + 1e-6);
  let lastX = -9;
  for (const mark of view.marks) {
    if (mark.seconds < scale.window.from || mark.seconds > scale.window.to) continue;
    const x = scale.x(mark.seconds);
    const parts = view.part !== null && Math.abs(mark.seconds - view.part) < 1e-6;
    // Marks that would lie on each other are one.
    if (x - lastX < 1.5 && !parts && mark !== current) continue;
    lastX = x;
    context.globalAlpha = mark.seconds > now ? PALE : 1;
    context.fillStyle = parts ? paint.color.part : mark === current ? paint.color.ink : paint.color.panel;
    context.strokeStyle = parts ? paint.color.part : paint.color.ink2;
    context.lineWidth = 1.2;
    diamond(context, x, MIDDLE, 5);
    context.fill();
    context.stroke();
  }
  context.globalAlpha = 1;
}
