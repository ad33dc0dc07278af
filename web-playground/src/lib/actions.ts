// What a person can do to a cluster, as actions of a scenario.

import type { Action } from "policy-wasm";

import type { Edit } from "./model.ts";

export const kill = (pod: string, exitCode: number): Action => ({ kill: { pod: { name: pod }, exitCode } });
export const deletePod = (pod: string): Action => ({ delete: { pod: { name: pod } } });
export const breakImage = (image: string): Action => ({ breakImage: { image } });
export const repairImage = (image: string): Action => ({ repairImage: { image } });
export const condition = (pod: string, type: string): Action => ({
  patch: { pod: { name: pod }, subresource: "status", patch: { status: { conditions: [{ type, status: "True" }] } } },
});
export const drain = (node: string): Action => ({ drain: node });
export const uncordon = (node: string): Action => ({ uncordon: node });
export const loseNode = (node: string): Action => ({ crashNode: node });
export const recoverNode = (node: string): Action => ({ recoverNode: node });
export const restartController: Action = { fault: { crashController: {} } };
/** The controllers see nothing new of Pods for a while. */
export const staleCache: Action = { fault: { freezeWatch: { resource: "pods", for: "30s" } } };
/** The next call is carried out, but its answer does not arrive. */
export const loseReply: Action = { fault: { loseResponse: {} } };
export const patchJob = (job: string, patch: unknown): Action => ({ patch: { kind: "Job", name: job, patch } });

/** Edits with one more: what was done later than that belongs to another future. */
export function withEdit(edits: Edit[], edit: Edit): Edit[] {
  return [...edits.filter(({ seconds }) => seconds <= edit.seconds), edit];
}

/** A merge patch of a Job's spec from the fields that were filled in; null when there are none. */
export function specPatch(fields: { parallelism: number | null; completions: number | null; suspend: boolean | null }): object | null {
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return given.length === 0 ? null : { spec: Object.fromEntries(given) };
}
