// Moves the clock while it plays.

import type { Store } from "./store.svelte.ts";

/** Starts with an effect of the page; its end is the returned function's. */
export function playback(store: Store): void {
  $effect(() => {
    if (!store.playing) return;
    let last = performance.now();
    let frame = requestAnimationFrame(function advance(now) {
      const passed = Math.min(0.1, (now - last) / 1000);
      last = now;
      store.seek(store.time + passed * store.speed);
      if (store.time >= store.end - 1e-6) return store.pause();
      frame = requestAnimationFrame(advance);
    });
    return () => cancelAnimationFrame(frame);
  });
}
