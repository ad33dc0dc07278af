// The page's colours and hatches for the canvas, read once for each theme.

export interface Palette {
  [token: string]: string;
}

const TOKENS = [
  "bg", "panel", "sunk", "line", "line2", "ink", "ink2", "ink3", "sel", "selline", "pending", "pendingline", "run", "runtint",
  "onrun", "ok", "oktint", "fail", "failtint", "onfail", "wait", "part", "parttint", "warn", "warntint",
] as const;
export type Token = (typeof TOKENS)[number];

export interface Paint {
  color: Record<Token, string>;
  backOff: CanvasPattern | string;
  cutShort: CanvasPattern | string;
  pending: CanvasPattern | string;
  terminating: CanvasPattern | string;
  sans: string;
  mono: string;
}

type Tile = (context: CanvasRenderingContext2D) => void;

function pattern(size: number, ratio: number, draw: Tile): CanvasPattern | string {
  const tile = document.createElement("canvas");
  tile.width = tile.height = Math.round(size * ratio);
  const context = tile.getContext("2d");
  if (!context) return "transparent";
  context.scale(tile.width / size, tile.height / size);
  draw(context);
  const made = context.createPattern(tile, "repeat");
  made?.setTransform(new DOMMatrix().scale(size / tile.width));
  return made ?? "transparent";
}

/** 45° lines that meet at the tile's edges. */
function hatch(ground: string, line: string, width: number): Tile {
  return (context) => {
    context.fillStyle = ground;
    context.fillRect(0, 0, 8, 8);
    context.strokeStyle = line;
    context.lineWidth = width;
    context.beginPath();
    for (const shift of [-8, 0, 8]) {
      context.moveTo(shift - 1, 9);
      context.lineTo(shift + 9, -1);
    }
    context.stroke();
  };
}

const dots = (ground: string, dot: string): Tile => (context) => {
  context.fillStyle = ground;
  context.fillRect(0, 0, 4, 4);
  context.fillStyle = dot;
  context.beginPath();
  context.arc(1.2, 1.2, 0.75, 0, 7);
  context.fill();
};

const stripes = (ground: string, line: string): Tile => (context) => {
  context.fillStyle = ground;
  context.fillRect(0, 0, 5, 5);
  context.fillStyle = line;
  context.fillRect(0, 0, 2, 5);
};

/** Reads the tokens of the theme that is in effect. */
export function readPaint(): Paint {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const color = Object.fromEntries(TOKENS.map((token) => [token, value(token)])) as Record<Token, string>;
  const ratio = globalThis.devicePixelRatio || 1;
  return {
    color,
    backOff: pattern(8, ratio, hatch(color.panel, color.wait, 1.6)),
    cutShort: pattern(8, ratio, hatch(color.panel, color.wait, 0.8)),
    pending: pattern(4, ratio, dots(color.pending, color.pendingline)),
    terminating: pattern(5, ratio, stripes(color.runtint, color.run)),
    sans: value("sans"),
    mono: value("mono"),
  };
}
