// The worker: takes requests one after the other, and answers each.

import { Refused } from "../lib/model.ts";
import { Engine } from "./engine.ts";
import type { Reply, Request } from "./protocol.ts";
import { core } from "./wasm.ts";

const engine = core().then((policy) => new Engine(policy));
const send = (reply: Reply) => self.postMessage(reply);

function problemsOf(error: unknown) {
  if (error instanceof Refused) return error.problems;
  const message = error instanceof Error ? error.message : String(error);
  return [{ code: "out-of-range" as const, message: `the simulation broke off: ${message}`, path: "", steps: [] }];
}

async function answer({ id, method, arguments: given }: Request): Promise<void> {
  try {
    const ready = await engine;
    ready.progress = (progress) => send({ id, progress });
    const call = ready[method] as (...all: unknown[]) => unknown;
    send({ id, value: await call.apply(ready, given) });
  } catch (error) {
    send({ id, problems: problemsOf(error) });
  }
}

self.addEventListener("message", (event: MessageEvent<Request>) => void answer(event.data));
