import type { WhyTarget } from "policy-wasm";

/** What is explained, as Kubernetes writes it: `pod/work-x7k2p`, `job/work status.failed`. */
export function targetText(target: WhyTarget): string {
  switch (target.kind) {
    case "job": return `job/${target.name}`;
    case "cronJob": return `cronjob/${target.name}`;
    case "pod": return `pod/${target.name}`;
    case "gap": return `job/${target.job}${target.index === undefined ? "" : ` index ${target.index}`}: no Pod`;
    case "count": return `job/${target.job} status.${target.field}`;
    case "condition": return `job/${target.job} status.conditions[${target.type}]`;
  }
}
