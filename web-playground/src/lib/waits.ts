// Back-off waits as bands: decisions that wait for the same instant belong together.

import type { Mark } from "./model.ts";
import type { Wait } from "./rows.ts";

export function waitsOf(marks: Mark[], end: number): Wait[] {
  const open = new Map<string, Wait & { wake: number }>();
  const done: Wait[] = [];
  const close = (object: string, at: number) => {
    const wait = open.get(object);
    if (!wait) return;
    open.delete(object);
    const to = Math.min(wait.wake, at);
    if (to > wait.from) done.push({ from: wait.from, to, meant: wait.meant, short: wait.wake - to > 0.5, object });
  };
  for (const mark of marks) {
    if (!mark.waits || mark.wake === null) {
      close(mark.object, mark.seconds);
      continue;
    }
    // Wakes are whole seconds of the clock.
    if (Math.abs((open.get(mark.object)?.wake ?? -9) - mark.wake) < 1.5) continue;
    close(mark.object, mark.seconds);
    open.set(mark.object, { from: mark.seconds, to: mark.wake, meant: mark.wake - mark.seconds, short: false, object: mark.object, wake: mark.wake });
  }
  for (const object of [...open.keys()]) close(object, end);
  return done.sort((one, other) => one.from - other.from);
}
