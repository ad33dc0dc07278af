// Scenarios of the catalogue as sources of runs.

import { catalogue, load } from "virtual:catalogue";

import type { CatalogueEntry, Source } from "../lib/model.ts";

export { catalogue };

/** A variant of a scenario that comes along; null when there is none of that name. */
export async function bundled(name: string, variant = "base"): Promise<Source | null> {
  const loaded = await load[name]?.();
  if (!loaded) return null;
  return { scenario: name, document: loaded.default, variant, seed: null, edits: [] };
}

export function own(document: Record<string, unknown>, variant = "base"): Source {
  return { scenario: null, document, variant, seed: null, edits: [] };
}

/** A choice in the list: a run, and the run that belongs beside it. */
export interface Choice {
  scenario: string;
  variant: string;
  beside: string | null;
}

export interface Tutorial {
  number: number;
  choices: Choice[];
}

/** The variant that shows a scenario without what it is about. */
const OFF = "policy-off";

/** As the tutorial tells them. */
const ORDER = ["failjob", "ignore", "config-issue", "more"];

/** The seven tutorials, each with what can be chosen of it. */
export const tutorials: Tutorial[] = groupTutorials(catalogue);

function groupTutorials(entries: CatalogueEntry[]): Tutorial[] {
  const groups = new Map<number, Choice[]>();
  for (const entry of [...entries].sort(byRank)) {
    if (entry.tutorial === null) continue;
    const beside = entry.variants.some(({ name }) => name === OFF) ? OFF : null;
    const choices = groups.get(entry.tutorial) ?? [];
    groups.set(entry.tutorial, choices);
    choices.push({ scenario: entry.name, variant: "base", beside });
    for (const { name } of entry.variants) {
      if (name !== OFF) choices.push({ scenario: entry.name, variant: name, beside: null });
    }
  }
  return [...groups].sort(([one], [other]) => one - other).map(([number, choices]) => ({ number, choices }));
}

function byRank(one: CatalogueEntry, other: CatalogueEntry): number {
  const rank = ({ name }: CatalogueEntry) => ORDER.findIndex((part) => name.endsWith(part));
  return rank(one) - rank(other) || one.name.localeCompare(other.name);
}

/** The name of a run beside the name of the one that it is compared with. */
export function titleOf({ scenario, variant, document }: Source): string {
  const entry = catalogue.find(({ name }) => name === scenario);
  const title = entry?.variants.find(({ name }) => name === variant)?.title ?? entry?.title;
  return title ?? String(document.title ?? document.name ?? "");
}
