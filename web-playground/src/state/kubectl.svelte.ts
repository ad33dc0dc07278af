// What `kubectl` prints of both runs at the time that is shown, asked again when that changes.

import type { SideName } from "../lib/model.ts";
import { printedOf, type Printed } from "../lib/printed.ts";
import type { KubectlOutput, KubectlRequest } from "../worker/protocol.ts";
import { Stopped } from "./client.ts";
import { store } from "./store.svelte.ts";

/** Milliseconds between two questions while it plays. */
const EVERY = 250;

type Thing = NonNullable<KubectlRequest["object"]>;

/** More Pods are not listed; one that is selected always is. */
const MOST_PODS = 200;

class Kubectl {
  outputs = $state.raw<Partial<Record<SideName, KubectlOutput[]>>>({});
  /** What the person chose from the list; what is selected in the timeline else. */
  chosen = $state<string | null>(null);

  /** Things that can be described, or whose logs can be read, as `pods/NAME`. */
  readonly things: string[] = $derived.by(() => {
    const { tab } = store;
    if (tab === "get" || tab === "events") return [];
    const frame = store.a.moment?.frame;
    const pods = (store.a.track?.lanes ?? []).filter(({ stages }) => (stages[0]?.[0] ?? 0) <= store.time).map(({ pod }) => `pods/${pod}`);
    const listed = pods.slice(-MOST_PODS);
    if (this.#selected && !listed.includes(this.#selected) && this.#selected.startsWith("pods/")) listed.push(this.#selected);
    if (tab === "logs") return listed;
    const owners = [...(frame?.cronJobs ?? []).map(({ name }) => `cronJobs/${name}`), ...(frame?.jobs ?? []).map(({ name }) => `jobs/${name}`)];
    return [...owners, ...listed];
  });
  readonly #selected: string | null = $derived.by(() => {
    const target = store.selection?.target;
    if (!target) return null;
    switch (target.kind) {
      case "pod": return `pods/${target.name}`;
      case "job": return `jobs/${target.name}`;
      case "cronJob": return `cronJobs/${target.name}`;
      default: return `jobs/${target.job}`;
    }
  });
  readonly thing: string | null = $derived.by(() => {
    const wanted = [this.chosen, this.#selected].find((each) => each !== null && this.things.includes(each));
    return wanted ?? (store.tab === "logs" ? (this.things.at(-1) ?? null) : (this.things[0] ?? null));
  });

  printed(side: SideName): Printed[] {
    const own = this.outputs[side] ?? [];
    const other = this.outputs[side === "a" ? "b" : "a"] ?? null;
    return printedOf(own, store.comparing ? other : null);
  }

  /** Asks for what is to be shown, one question at a time; the last one counts. */
  follow(): void {
    let asking = false;
    let wanted = false;
    const ask = async (): Promise<void> => {
      asking = true;
      while (wanted) {
        wanted = false;
        await this.#ask();
        if (store.playing) await new Promise((resolve) => setTimeout(resolve, EVERY));
      }
      asking = false;
    };
    $effect(() => {
      // A side's moment is new whenever something may have changed.
      void [store.a.moment, store.b.moment, store.tab, this.thing];
      wanted = true;
      if (!asking) void ask();
    });
  }

  async #ask(): Promise<void> {
    const object = thingOf(this.thing);
    const outputs: typeof this.outputs = {};
    try {
      for (const { name } of store.sides) outputs[name] = await store.client.call("kubectl", [name, { tab: store.tab, object }]);
      this.outputs = outputs;
    } catch (error) {
      if (!(error instanceof Stopped)) throw error;
    }
  }
}

function thingOf(text: string | null): Thing | null {
  const [kind, name] = text?.split("/") ?? [];
  return name === undefined ? null : { kind: kind as Thing["kind"], name };
}

export const kubectl = new Kubectl();
