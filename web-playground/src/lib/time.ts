// Times as the page writes them.

const two = (value: number) => String(value).padStart(2, "0");

/** `0:41`, `9:16`, `1:02:03`, `2d 03:00:00`. */
export function clock(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds) + 1e-9);
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];
  if (days > 0) return `${days}d ${two(hours)}:${two(minutes)}:${two(whole % 60)}`;
  if (hours > 0) return `${hours}:${two(minutes)}:${two(whole % 60)}`;
  return `${minutes}:${two(whole % 60)}`;
}

/** `0:41.3`. */
export function clockTenths(seconds: number): string {
  const tenths = Math.floor(Math.max(0, seconds) * 10 + 1e-6);
  return `${clock(tenths / 10)}.${tenths % 10}`;
}

/** `09:00:41`; with the day when the run is longer than one. */
export function utc(milliseconds: number, withDay: boolean): string {
  const text = new Date(milliseconds).toISOString();
  return withDay ? `${text.slice(0, 10)} ${text.slice(11, 19)}` : text.slice(11, 19);
}

/** A length of time: `0.4 s`, `30 s`, `9 min 12 s`, `2 h 5 min`, `3 d 4 h`. `units` are those of the language. */
export function length(seconds: number, units: { d: string; h: string; min: string; s: string }): string {
  const part = (value: number, unit: string) => `${value} ${unit}`;
  if (seconds < 9.95) return part(Math.round(seconds * 10) / 10, units.s);
  const whole = Math.round(seconds);
  if (whole < 60) return part(whole, units.s);
  const pair = (large: number, largeUnit: string, small: number, smallUnit: string) =>
    small === 0 ? part(large, largeUnit) : `${part(large, largeUnit)} ${part(small, smallUnit)}`;
  if (whole < 3600) return pair(Math.floor(whole / 60), units.min, whole % 60, units.s);
  if (whole < 86400) return pair(Math.floor(whole / 3600), units.h, Math.floor(whole / 60) % 60, units.min);
  return pair(Math.floor(whole / 86400), units.d, Math.floor(whole / 3600) % 24, units.h);
}

const STEPS = [0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

/** A round distance of ticks, so that there are at most `most` of them. */
export function tickStep(span: number, most: number): number {
  return STEPS.find((step) => span / step <= most) ?? 604800 * Math.ceil(span / most / 604800);
}
