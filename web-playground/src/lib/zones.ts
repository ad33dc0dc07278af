// What clocks of a time zone show. Only for labels: when a CronJob runs is what the package says.

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A change of a zone's clocks; offsets are milliseconds ahead of UTC. */
export interface ClockChange {
  at: number;
  before: number;
  after: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  formats.set(zone, made);
  return made;
}

/** Whether this browser knows a zone of that name. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

export const zoneNames = (): string[] => ["UTC", ...Intl.supportedValuesOf("timeZone").filter((name) => name !== "UTC")];

/** Milliseconds by which a zone's clocks are ahead of UTC. */
export function offsetAt(zone: string, at: number): number {
  const part = Object.fromEntries(formatOf(zone).formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const wall = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  return wall - Math.floor(at / 1000) * 1000;
}

/** `02:30` of an instant. */
export const wallTime = (zone: string, at: number): string => hourOf(at + offsetAt(zone, at));
/** `02:30` of a wall time, counted as if it were UTC. */
export const hourOf = (wall: number): string => new Date(wall).toISOString().slice(11, 16);

/** `CEST`, or `+05:30` where no letters are known. */
export function zoneLetters(zone: string, at: number): string {
  for (const locale of ["en-GB", "en-US"]) {
    const letters = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: "short" }).formatToParts(at).find(({ type }) => type === "timeZoneName")?.value;
    if (letters && !/\d/.test(letters)) return letters;
  }
  const minutes = Math.round(offsetAt(zone, at) / 60_000);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

/** `Berlin` of `Europe/Berlin`. */
export const placeOf = (zone: string): string => (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");

/** `Sun 25 Oct 2026`; `plain` without the day of the week, `short` without the year. */
export function dayOf(zone: string, at: number, language: string, form: "full" | "plain" | "short" = "full"): string {
  const format = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", { timeZone: zone, weekday: "short", day: "numeric", month: language === "zh" ? "numeric" : "short", year: "numeric" });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const [weekday, year] = [form === "plain" ? "" : (part.weekday ?? ""), form === "short" ? "" : (part.year ?? "")];
  if (language === "zh") return `${year && `${year} 年 `}${part.month} 月 ${part.day} 日${weekday && ` ${weekday}`}`;
  return [weekday, part.day, part.month, year].filter(Boolean).join(" ");
}

/** Changes of a zone's clocks between two instants, to the minute. */
export function clockChanges(zone: string, from: number, to: number): ClockChange[] {
  const changes: ClockChange[] = [];
  let before = offsetAt(zone, from);
  for (let day = from; day < to; day += DAY) {
    const end = Math.min(day + DAY, to);
    const after = offsetAt(zone, end);
    if (after !== before) changes.push({ at: changeWithin(zone, day, end, before), before, after });
    before = after;
  }
  return changes;
}

function changeWithin(zone: string, from: number, to: number, before: number): number {
  let [low, high] = [Math.floor(from / 60_000), Math.ceil(to / 60_000)];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (offsetAt(zone, middle * 60_000) === before) low = middle;
    else high = middle;
  }
  return high * 60_000;
}
