// One of the two runs: what it is of, the whole of it, and where it stands.

import type { Problem } from "policy-wasm";

import type { Explained, Moment, SideName, Source, Track } from "../lib/model.ts";
import { rowsOf, type Row, type Wait } from "../lib/rows.ts";
import { waitsOf } from "../lib/waits.ts";

export class Side {
  readonly name: SideName;
  /** What it shows, once that runs. */
  source = $state.raw<Source | null>(null);
  track = $state.raw<Track | null>(null);
  moment = $state.raw<Moment | null>(null);
  explained = $state.raw<Explained | null>(null);
  /** Why what was asked for last cannot be shown; the track is of what was shown before. */
  problems = $state.raw<Problem[]>([]);

  readonly rows: Row[] = $derived(this.track ? rowsOf(this.track.lanes) : []);
  readonly waits: Wait[] = $derived(this.track ? waitsOf(this.track.marks, this.track.seconds) : []);

  constructor(name: SideName) {
    this.name = name;
  }

  clear(): void {
    this.source = null;
    this.track = null;
    this.moment = null;
    this.explained = null;
    this.problems = [];
  }
}
