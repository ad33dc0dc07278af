// The same run under other concurrency policies.

import type { Lane, ScenarioDocument, Simulation } from "policy-wasm";

import type { core } from "./wasm.ts";

type Policy = Awaited<ReturnType<typeof core>>;

/** A run with more steps is not repeated for each policy. */
const MOST_STEPS = 40_000;

export function policies<Name extends string>(policy: Policy, simulation: Simulation, cronJob: string, among: Name[]): Partial<Record<Name, Lane[]>> {
  const document = policy.decode(simulation.export());
  const found: Partial<Record<Name, Lane[]>> = {};
  for (const name of among) {
    const lanes = lanesOf(policy, withPolicy(document, cronJob, name));
    if (lanes) found[name] = lanes;
  }
  return found;
}

function lanesOf({ openSimulation, encode, decode }: Policy, scenario: ScenarioDocument): Lane[] | null {
  const opened = openSimulation(encode({ scenario }));
  if (!opened.ok) return null;
  try {
    return decode(opened.value.seek(Infinity, MOST_STEPS)).paused ? null : decode(opened.value.frame()).lanes;
  } finally {
    opened.value.free();
  }
}

interface Manifest {
  kind?: unknown;
  metadata?: { name?: unknown };
  spec?: object;
}

function withPolicy(document: ScenarioDocument, cronJob: string, concurrencyPolicy: string): ScenarioDocument {
  const manifests = (document.manifests as Manifest[]).map((manifest) => (manifest.kind === "CronJob" && manifest.metadata?.name === cronJob
    ? { ...manifest, spec: { ...manifest.spec, concurrencyPolicy } }
    : manifest));
  return { ...document, manifests };
}
