// The texts of the tutorials in the language of the page.

import { words, type Language } from "../i18n/index.svelte.ts";
import type { Source } from "../lib/model.ts";
import { catalogue, titleOf } from "../state/sources.ts";
import type { ScenarioText, Texts } from "./types.ts";

export const tutorialTitle = (number: number): string => words.labels.tutorials[number] ?? String(number);

export const chipOf = (scenario: string, variant: string): string => words.labels.chips[`${scenario}/${variant}`] ?? variant;

const load: Record<Language, () => Promise<{ default: Texts }>> = {
  en: () => import("virtual:texts/en"),
  zh: () => import("virtual:texts/zh"),
};

/** What stands beside a choice. */
export interface About {
  /** What is particular about the variant; null for the scenario itself. */
  variant: { title: string; summary: string } | null;
  text: ScenarioText;
}

export async function aboutOf(scenario: string, variant: string, language: Language): Promise<About | null> {
  const text = (await load[language]()).default[scenario];
  if (!text) return null;
  const own = catalogue.find(({ name }) => name === scenario)?.variants.find(({ name }) => name === variant);
  const said = text.variants[variant];
  return { variant: own ? { title: said?.title ?? own.title, summary: said?.summary ?? own.summary } : null, text };
}

/** What a run is called beside another one. */
export function sideTitle(source: Source, other: Source | null): string {
  if (source.scenario === null) return titleOf(source);
  if (other?.variant === "policy-off" && other.scenario === source.scenario && source.variant === "base") return words.labels.policyOn;
  return chipOf(source.scenario, source.variant);
}

/** Where one is: `Pod failure policy · FailJob`. */
export function crumb(source: Source): string {
  const entry = catalogue.find(({ name }) => name === source.scenario);
  if (!entry || entry.tutorial === null) return titleOf(source);
  return `${tutorialTitle(entry.tutorial)} · ${chipOf(entry.name, source.variant)}`;
}
