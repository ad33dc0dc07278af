// Seconds to pixels and back.

/** A part of the run, in seconds. */
export interface Window {
  from: number;
  to: number;
}

export interface Scale {
  window: Window;
  /** Left edge of the drawing, and its right edge, in pixels. */
  left: number;
  right: number;
  x(seconds: number): number;
  seconds(x: number): number;
}

export function scaleOf(window: Window, left: number, right: number): Scale {
  const span = Math.max(1e-6, window.to - window.from);
  const width = Math.max(1, right - left);
  return {
    window, left, right,
    x: (seconds) => left + ((seconds - window.from) / span) * width,
    seconds: (x) => window.from + ((x - left) / width) * span,
  };
}

/** Moves and resizes a window so that it stays in the run and shows at least a fifth of a second. */
export function clampWindow({ from, to }: Window, end: number): Window {
  const span = Math.min(Math.max(to - from, Math.min(0.2, end)), Math.max(end, 0.2));
  const start = Math.min(Math.max(0, from), Math.max(0, end - span));
  return { from: start, to: start + span };
}

/** Zooms by a factor; the time at `anchor` stays where it is. */
export function zoomWindow({ from, to }: Window, factor: number, anchor: number, end: number): Window {
  return clampWindow({ from: anchor - (anchor - from) * factor, to: anchor + (to - anchor) * factor }, end);
}
