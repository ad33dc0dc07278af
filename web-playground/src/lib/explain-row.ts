// Selects what a row shows at a time: its Pod, or the gap where there is none.

import type { Store } from "../state/store.svelte.ts";
import type { SideName } from "./model.ts";
import { laneAt, type Row } from "./rows.ts";

export function explainRow(store: Store, side: SideName, row: Row, seconds: number): void {
  const lane = laneAt(row, seconds);
  const gone = lane?.stages.find(([, stage]) => stage === "gone")?.[0] ?? Infinity;
  if (lane && seconds < gone) {
    // The worker explains the time at which it stands.
    if (laneAt(row, store.time) !== lane || store.time >= gone) {
      store.pause();
      store.seek(seconds);
    }
    store.select({ side, target: { kind: "pod", name: lane.pod } });
    return;
  }
  if (row.job === null) return;
  store.pause();
  if (store.time !== seconds) store.seek(seconds);
  store.select({ side, target: { kind: "gap", job: row.job, ...(row.index === null ? {} : { index: row.index }) } });
}
