// The page's end of the worker. A worker that is stopped is replaced by a new one, which has nothing open.

import { Refused } from "../lib/model.ts";
import type { Method, Methods, Reply, Request } from "../worker/protocol.ts";

/** What pending requests end with when the worker is stopped. */
export class Stopped extends Error {
  constructor() {
    super("stopped");
  }
}

export interface Progress {
  seconds: number;
  steps: number;
}

interface Pending {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
  progress: ((progress: Progress) => void) | undefined;
}

export class Client {
  #worker: Worker | null = null;
  #last = 0;
  readonly #pending = new Map<number, Pending>();

  /** Asks the worker, and starts it if there is none. */
  call<Name extends Method>(
    method: Name,
    given: Parameters<Methods[Name]>,
    progress?: (progress: Progress) => void,
  ): Promise<Awaited<ReturnType<Methods[Name]>>> {
    const worker = this.start();
    const id = (this.#last += 1);
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: never) => void, reject, progress });
      worker.postMessage({ id, method, arguments: given } satisfies Request);
    });
  }

  /** Ends what the worker is at; everything that was open is closed. */
  stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#fail(new Stopped());
  }

  /** Starts the worker, so that the module is compiled by the time it is needed. */
  start(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(new URL("../worker/worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", (event: MessageEvent<Reply>) => this.#receive(event.data));
    worker.addEventListener("error", (event) => {
      const message = event.message || "the worker could not be started";
      this.#worker = null;
      this.#fail(new Refused([{ code: "out-of-range", message, path: "", steps: [] }]));
    });
    this.#worker = worker;
    return worker;
  }

  #receive(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    if (!pending) return;
    if ("progress" in reply) return pending.progress?.(reply.progress);
    this.#pending.delete(reply.id);
    if ("problems" in reply) pending.reject(new Refused(reply.problems));
    else pending.resolve(reply.value as never);
  }

  #fail(error: Error): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of all) reject(error);
  }
}
