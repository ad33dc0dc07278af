// Where two runs part, in words: the rules whose answers differ, and what each side then does.

import type { Decision, Finding, Parting } from "policy-wasm";

import { t } from "../i18n/index.svelte.ts";

/** Held rules of one decision that did not hold in the other, those with consequences first. */
export function ownRules(decision: Decision | null, other: Decision | null): Finding[] {
  const held = (one: Decision | null) => (one?.findings ?? []).filter(({ verdict }) => verdict === "held");
  const others = new Set(held(other).map(({ rule }) => rule));
  const seen = new Set<string>();
  return held(decision).filter(({ rule }) => !others.has(rule) && !seen.has(rule) && seen.add(rule));
}

/** A finding in a line: `spec.podFailurePolicy.rules[0].action FailJob`. */
export function evidenceText({ evidence }: Finding): string {
  return evidence.map(({ path, value, bound }) => `${path}: ${value}${bound === undefined ? "" : ` (${bound})`}`).join("; ");
}

function clause(decision: Decision | null, other: Decision | null): string {
  if (!decision) return t("why.no-more");
  const [rule] = ownRules(decision, other);
  return rule?.rule ?? decision.callList?.[0] ?? decision.verdict;
}

/** `A: pod-failure-policy-rule-matched; B: creation-waits-for-backoff`. */
export function partSentence(parting: Parting | null): string {
  if (!parting) return "";
  return `A: ${clause(parting.here, parting.there)} · B: ${clause(parting.there, parting.here)}`;
}
