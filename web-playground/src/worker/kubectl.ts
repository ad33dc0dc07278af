// What `kubectl` prints of a run. The only file that knows how the package is asked for it.

import type { KubectlCommand, Simulation } from "policy-wasm";

import type { KubectlOutput, KubectlRequest } from "./protocol.ts";
import type { core } from "./wasm.ts";

type Policy = Awaited<ReturnType<typeof core>>;

/** The commands that a tab stands for, and what each prints now. */
export function kubectl(policy: Policy, simulation: Simulation, { tab, object }: KubectlRequest): KubectlOutput[] {
  const { jobs, cronJobs } = policy.decode(simulation.frame(policy.encode({ lanes: { count: 0 } })));
  const commands = commandsOf(tab, object, cronJobs.length > 0, jobs.length > 0);
  return commands.map((command) => ({ command: lineOf(command), text: printed(policy, simulation, command) }));
}

function commandsOf(tab: KubectlRequest["tab"], object: KubectlRequest["object"], cron: boolean, job: boolean): KubectlCommand[] {
  switch (tab) {
    case "get": {
      const resources = cron ? ["cronJobs", "jobs", "pods"] as const : ["jobs", "pods"] as const;
      return resources.map((resource) => ({ verb: "get", resource }));
    }
    case "describe":
      if (object) return [{ verb: "describe", resource: object.kind, name: object.name }];
      return cron || job ? [{ verb: "describe", resource: cron ? "cronJobs" : "jobs" }] : [];
    case "logs": return object?.kind === "pods" ? [{ verb: "logs", name: object.name }] : [];
    case "events": return [{ verb: "events" }];
  }
}

function lineOf(command: KubectlCommand): string {
  switch (command.verb) {
    case "logs": return `kubectl logs ${command.name}`;
    case "events": return "kubectl get events";
    default: return ["kubectl", command.verb, command.resource.toLowerCase(), command.name].filter(Boolean).join(" ");
  }
}

function printed(policy: Policy, simulation: Simulation, command: KubectlCommand): string {
  const answer = policy.decode(simulation.kubectl(policy.encode(command)));
  return answer.ok ? answer.value : answer.problems.map(({ message }) => message).join("\n");
}
