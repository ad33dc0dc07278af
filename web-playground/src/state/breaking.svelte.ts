// What is done to the runs by hand: on which side, to which Pod or node, and what came of it.

import type { Action, JobFrame, KubeObject, Problem } from "policy-wasm";

import { breakImage, withEdit } from "../lib/actions.ts";
import type { SideName } from "../lib/model.ts";
import { store } from "./store.svelte.ts";

export type Form = "kill" | "condition" | "edit";
/** More Pods are not listed. */
const MOST_PODS = 200;

class Breaking {
  on = $state<SideName | "both">("a");
  form = $state<Form | null>(null);
  busy = $state(false);
  problems = $state.raw<Problem[]>([]);
  chosenPod = $state<string | null>(null);
  chosenNode = $state<string | null>(null);

  readonly #side = $derived(this.on === "b" && store.b.track ? store.b : store.a);
  /** Pods that are there now, the selected one first. */
  readonly pods: string[] = $derived.by(() => {
    const now = Math.floor(store.time * 4) / 4;
    const names: string[] = [];
    for (const { pod, stages } of this.#side.track?.lanes ?? []) {
      const stage = stages.findLast(([seconds]) => seconds <= now + 0.25)?.[1];
      if (stage === "running" || stage === "pending" || stage === "backOff" || stage === "terminating") names.push(pod);
      if (names.length >= MOST_PODS) break;
    }
    return names;
  });
  readonly pod: string | null = $derived.by(() => {
    const target = store.selection?.target;
    const wanted = this.chosenPod ?? (target?.kind === "pod" ? target.name : null);
    return wanted !== null && this.pods.includes(wanted) ? wanted : (this.pods[0] ?? null);
  });
  readonly nodes = $derived(this.#side.moment?.frame.nodes ?? []);
  readonly node = $derived.by(() => {
    const ofPod = this.#side.track?.lanes.find(({ pod }) => pod === this.pod)?.node;
    const wanted = this.chosenNode ?? ofPod;
    return this.nodes.find(({ name }) => name === wanted) ?? this.nodes[0] ?? null;
  });
  readonly job: JobFrame | null = $derived.by(() => {
    const jobs = this.#side.moment?.frame.jobs ?? [];
    const target = store.selection?.target;
    const wanted = target?.kind === "job" ? target.name : null;
    return jobs.find(({ name }) => name === wanted) ?? jobs.find(({ finished }) => finished === null) ?? jobs[0] ?? null;
  });
  /** Images that were made unpullable by hand and not repaired. */
  readonly broken: string[] = $derived.by(() => {
    const images = new Set<string>();
    for (const { action, seconds } of this.#side.source?.edits ?? []) {
      if (seconds > store.time) continue;
      if ("breakImage" in action) images.add(action.breakImage.image);
      if ("repairImage" in action) images.delete(action.repairImage.image);
    }
    return [...images];
  });

  openForm(form: Form): void {
    store.pause();
    this.problems = [];
    this.form = this.form === form ? null : form;
  }

  /** Does something now, on the sides that are chosen. */
  async inject(action: Action): Promise<boolean> {
    store.pause();
    this.busy = true;
    this.problems = [];
    const seconds = Math.round(store.time * 1000) / 1000;
    const sides: SideName[] = store.comparing ? (this.on === "both" ? ["a", "b"] : [this.on]) : ["a"];
    for (const side of sides) {
      const edits = withEdit(store.side(side).source?.edits ?? [], { seconds, action });
      const problems = await store.edit(side, edits);
      if (problems.length > 0) this.problems = problems;
    }
    this.busy = false;
    if (this.problems.length === 0) this.form = null;
    return this.problems.length === 0;
  }

  /** Makes the image of the chosen Pod's first container unpullable. */
  async image(): Promise<void> {
    const objects = await store.client.call("objects", [this.#side.name]);
    const image = imageOf(objects.pods.find((pod) => nameOf(pod) === this.pod));
    if (image) await this.inject(breakImage(image));
  }

  async remove(side: SideName, place: number): Promise<void> {
    const edits = (store.side(side).source?.edits ?? []).filter((_, each) => each !== place);
    this.problems = await store.edit(side, edits);
  }

  /** Takes the last edit back. */
  async undo(): Promise<void> {
    const sides: SideName[] = ["a", "b"];
    const last = sides
      .map((side) => ({ side, count: store.side(side).source?.edits.length ?? 0 }))
      .filter(({ side, count }) => count > 0 && (this.on === "both" || !store.comparing || side === this.on));
    for (const { side, count } of last) await this.remove(side, count - 1);
  }
}

function nameOf(object: KubeObject): string {
  return String((object.metadata as { name?: unknown } | undefined)?.name ?? "");
}

function imageOf(pod: KubeObject | undefined): string | null {
  const spec = pod?.spec as { containers?: { image?: string }[] } | undefined;
  return spec?.containers?.[0]?.image ?? null;
}

export const breaking = new Breaking();
