// The texts of the tutorials in the language of the page.

import type { Source } from "../lib/model.ts";
import { words } from "../i18n/index.svelte.ts";
import { catalogue, titleOf } from "../state/sources.ts";
import { en } from "./en.ts";
import { zh } from "./zh.ts";

const texts = () => (words.language === "zh" ? zh : en);

export const tutorialTitle = (number: number): string => texts().titles[number] ?? String(number);

export const chipOf = (scenario: string, variant: string): string => texts().chips[`${scenario}/${variant}`] ?? variant;

/** What is said about a choice. */
export function aboutOf(scenario: string, variant: string): string {
  const entry = catalogue.find(({ name }) => name === scenario);
  const own = entry?.variants.find(({ name }) => name === variant);
  return texts().texts[`${scenario}/${variant}`] ?? (own?.summary || entry?.summary || "");
}

/** What a run is called beside another one. */
export function sideTitle(source: Source, other: Source | null): string {
  if (source.scenario === null) return titleOf(source);
  if (source.variant === "policy-off") return texts().off;
  if (other?.variant === "policy-off" && other.scenario === source.scenario) return texts().on;
  return chipOf(source.scenario, source.variant);
}

/** Where one is: `Pod failure policy · FailJob`. */
export function crumb(source: Source): string {
  const entry = catalogue.find(({ name }) => name === source.scenario);
  if (!entry || entry.tutorial === null) return titleOf(source);
  return `${tutorialTitle(entry.tutorial)} · ${chipOf(entry.name, source.variant)}`;
}
