// What `kubectl` prints of a run. The only file that knows how the package is asked for it.

import type { Json, KubeObject, Result, Simulation } from "policy-wasm";

import type { KubectlOutput, KubectlRequest } from "./protocol.ts";
import type { core } from "./wasm.ts";

type Policy = Awaited<ReturnType<typeof core>>;
type Resource = "jobs" | "cronJobs" | "pods" | "events";
type Command =
  | { verb: "get" | "describe"; resource: Resource; name?: string }
  | { verb: "logs"; name: string }
  | { verb: "events" };
/** A package that prints: `kubectl` is in it from the version on that has `kubectl`'s words. */
interface Prints {
  kubectl(command: Json<Command>): Json<Result<string>>;
}

const prints = (simulation: object): simulation is Prints => "kubectl" in simulation;

/** The commands that a tab stands for, and what each prints now. */
export function kubectl(policy: Policy, simulation: Simulation, { tab, object }: KubectlRequest): KubectlOutput[] {
  const { jobs, cronJobs } = policy.decode(simulation.frame(policy.encode({ lanes: { count: 0 } })));
  const commands = commandsOf(tab, object, cronJobs.length > 0, jobs.length > 0);
  return commands.map((command) => (prints(simulation)
    ? { command: lineOf(command), text: printed(policy, simulation, command) }
    : columns(policy, simulation, command)));
}

function commandsOf(tab: KubectlRequest["tab"], object: KubectlRequest["object"], cron: boolean, job: boolean): Command[] {
  switch (tab) {
    case "get": {
      const resources: Resource[] = cron ? ["cronJobs", "jobs", "pods"] : ["jobs", "pods"];
      return resources.map((resource) => ({ verb: "get", resource }));
    }
    case "describe":
      if (object) return [{ verb: "describe", resource: object.kind, name: object.name }];
      return cron || job ? [{ verb: "describe", resource: cron ? "cronJobs" : "jobs" }] : [];
    case "logs": return object?.kind === "pods" ? [{ verb: "logs", name: object.name }] : [];
    case "events": return [{ verb: "events" }];
  }
}

function lineOf(command: Command): string {
  switch (command.verb) {
    case "logs": return `kubectl logs ${command.name}`;
    case "events": return "kubectl get events";
    default: return ["kubectl", command.verb, command.resource.toLowerCase(), command.name].filter(Boolean).join(" ");
  }
}

function printed(policy: Policy, simulation: Prints, command: Command): string {
  const answer = policy.decode(simulation.kubectl(policy.encode(command)));
  return answer.ok ? answer.value : answer.problems.map(({ message }) => message).join("\n");
}

/*
 * Until the package prints: the same objects by commands whose output has no rules of its own, `-o custom-columns` and
 * `-o json`.
 */

const COLUMNS: Record<Resource, [string, string][]> = {
  cronJobs: [["NAME", "metadata.name"], ["SCHEDULE", "spec.schedule"], ["SUSPEND", "spec.suspend"], ["LAST", "status.lastScheduleTime"]],
  jobs: [["NAME", "metadata.name"], ["ACTIVE", "status.active"], ["SUCCEEDED", "status.succeeded"], ["FAILED", "status.failed"], ["CONDITIONS", "status.conditions[*].type"]],
  pods: [["NAME", "metadata.name"], ["PHASE", "status.phase"], ["NODE", "spec.nodeName"], ["EXIT", "status.containerStatuses[*].state.terminated.exitCode"]],
  events: [["TYPE", "type"], ["REASON", "reason"], ["OBJECT", "involvedObject.name"], ["MESSAGE", "message"]],
};

function columns(policy: Policy, simulation: Simulation, command: Command): KubectlOutput {
  if (command.verb === "logs") {
    const lines = policy.decode(simulation.logs(command.name))[command.name] ?? [];
    return { command: lineOf(command), text: lines.map((line) => `${line}\n`).join("") };
  }
  const resource = command.verb === "events" ? "events" : command.resource;
  const objects = objectsOf(policy, simulation, resource);
  if (command.verb === "describe") {
    const found = objects.filter((each) => command.name === undefined || valueAt(each, "metadata.name") === command.name);
    return { command: lineOf({ ...command, verb: "get" }) + " -o json", text: found.map((each) => JSON.stringify(each, null, 4)).join("\n") };
  }
  const wanted = COLUMNS[resource];
  const rows = [wanted.map(([name]) => name), ...objects.map((each) => wanted.map(([, path]) => valueAt(each, path)))];
  const widths = wanted.map((_, place) => Math.max(...rows.map((row) => row[place]?.length ?? 0)) + 3);
  const text = rows.map((row) => row.map((cell, place) => cell.padEnd(place + 1 < row.length ? (widths[place] ?? 0) : 0)).join("")).join("\n");
  return { command: `kubectl get ${resource.toLowerCase()} -o custom-columns=${wanted.map(([name, path]) => `${name}:.${path}`).join(",")}`, text };
}

function objectsOf(policy: Policy, simulation: Simulation, resource: Resource): KubeObject[] {
  if (resource !== "events") return policy.decode(simulation.objects())[resource];
  return policy.decode(simulation.events()).map(({ kind, reason, object, message }) => ({ type: kind, reason, message, involvedObject: { name: object.split("/")[1] } }));
}

/** A JSON path as `custom-columns` reads it: absent is `<none>`. */
function valueAt(object: unknown, path: string): string {
  let values: unknown[] = [object];
  for (const step of path.split(".")) {
    const name = step.replace("[*]", "");
    values = values.map((value) => (value as Record<string, unknown> | undefined)?.[name]).filter((value) => value !== undefined && value !== null);
    if (step.endsWith("[*]")) values = values.flat();
  }
  return values.length === 0 ? "<none>" : values.map(String).join(",");
}
