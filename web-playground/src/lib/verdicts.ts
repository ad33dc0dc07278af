// The rules of one or two explanations in one table.

import type { Finding, Rule, RuleCode, Why } from "policy-wasm";

export type Verdict = "held" | "notHeld" | "notReached";

export interface RuleRow {
  rule: RuleCode;
  /** One for each side; null where the explanation does not speak of the rule. */
  verdicts: (Verdict | null)[];
  findings: Finding[][];
  /** Worth showing without being asked: it held, the sides differ, or a value is compared with a bound. */
  matters: boolean;
  /** Worth opening without being asked. */
  open: boolean;
}

/** More are not opened at once. */
const MOST_OPEN = 4;

function verdictOf(why: Why | null, rule: RuleCode): Verdict | null {
  if (!why) return null;
  const found = why.findings.filter((finding) => finding.rule === rule);
  if (found.some(({ verdict }) => verdict === "held")) return "held";
  if (found.length > 0) return "notHeld";
  return why.notReached.includes(rule) ? "notReached" : null;
}

const acts = ({ calls }: Finding) => (Array.isArray(calls) ? calls.length > 0 : calls.end > calls.start);
/** Rules that speak about what is waited for or decided, whatever they call. */
const DECISIVE = /waits|exceeded|matched|fails-job|suspended|forbids|replaces|deadline|missed|ended|reached|unparseable|already/;

/** All rules of which either explanation speaks, in the order in which the controllers ask them. */
export function ruleRows(whys: (Why | null)[], rules: Rule[]): RuleRow[] {
  const order = new Map(rules.map(({ rule }, place) => [rule, place]));
  const spoken = new Set<RuleCode>();
  for (const why of whys) {
    for (const { rule } of why?.findings ?? []) spoken.add(rule);
    for (const rule of why?.notReached ?? []) spoken.add(rule);
  }
  const rows = [...spoken].map((rule): RuleRow => {
    const verdicts = whys.map((why) => verdictOf(why, rule));
    const findings = whys.map((why) => (why?.findings ?? []).filter((finding) => finding.rule === rule));
    const held = verdicts.includes("held");
    const differs = new Set(verdicts.filter((verdict) => verdict !== null)).size > 1;
    const bounded = findings.flat().some(({ evidence }) => evidence.some(({ bound }) => bound !== undefined));
    const decisive = held && (DECISIVE.test(rule) || (differs && findings.flat().some(acts)));
    return { rule, verdicts, findings, matters: held || differs || (bounded && verdicts.includes("notHeld")), open: decisive };
  });
  rows.sort((one, other) => (order.get(one.rule) ?? 999) - (order.get(other.rule) ?? 999));
  let open = 0;
  for (const row of rows) if (row.open && (open += 1) > MOST_OPEN) row.open = false;
  return rows;
}

/** A row's values in a few words: `0 (more than spec.backoffLimit 6)`. */
export function noteOf({ findings }: RuleRow): string {
  const evidence = findings.flat()[0]?.evidence ?? [];
  const [best] = [...evidence].sort((one, other) => Number(other.bound !== undefined) - Number(one.bound !== undefined));
  if (!best) return "";
  return best.bound === undefined ? best.value : `${best.value}, ${best.bound}`;
}

/** What the findings of a row say, once each. */
export function evidenceOf(findings: Finding[]): Finding["evidence"] {
  const seen = new Set<string>();
  return findings.flatMap(({ evidence }) => evidence).filter(({ path, value, bound }) => {
    const key = `${path}\n${value}\n${bound ?? ""}`;
    return !seen.has(key) && seen.add(key);
  });
}
