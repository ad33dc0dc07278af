// The worker: takes requests one after the other, and answers each.

import { Refused } from "../lib/model.ts";
import { Engine } from "./engine.ts";
import type { Reply, Request } from "./protocol.ts";
import { core, zones } from "./wasm.ts";

const engine = core().then((policy) => new Engine(policy));
const send = (reply: Reply) => self.postMessage(reply);

function problemsOf(error: unknown) {
  if (error instanceof Refused) return error.problems;
  const message = error instanceof Error ? error.message : String(error);
  return [{ code: "out-of-range" as const, message: `the simulation broke off: ${message}`, path: "", steps: [] }];
}

/** What failed for want of time zones is done again with them. */
async function withZones(error: unknown, call: () => Promise<unknown>): Promise<unknown> {
  if (!(error instanceof Refused) || !error.problems.some(({ code }) => code === "zones-not-loaded")) throw error;
  await zones();
  return call();
}

async function answer({ id, method, arguments: given }: Request): Promise<void> {
  try {
    const ready = await engine;
    ready.progress = (progress) => send({ id, progress });
    const call = async () => (ready[method] as (...all: unknown[]) => unknown).apply(ready, given);
    send({ id, value: await call().catch((error: unknown) => withZones(error, call)) });
  } catch (error) {
    send({ id, problems: problemsOf(error) });
  }
}

self.addEventListener("message", (event: MessageEvent<Request>) => void answer(event.data));
