// See types.d.ts. What is between JavaScript and the module is in glue.js, which is generated.

import init, * as glue from "./glue.js";

export { checkScenario, decide, explain, rules, scenarioOf, schedule, validate, version } from "./glue.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encode(value) {
  return encoder.encode(JSON.stringify(value));
}

export function decode(bytes) {
  return JSON.parse(decoder.decode(bytes));
}

export async function load(source) {
  await init(source === undefined ? undefined : { module_or_path: source });
}

let zones;

export function loadZones(source) {
  // A failure is not kept: the next call tries again.
  zones ??= zonesFrom(source).catch((error) => {
    zones = undefined;
    throw error;
  });
  return zones;
}

async function zonesFrom(source) {
  const data = source instanceof Uint8Array ? source : await fetched(source ?? new URL("./zones.bin", import.meta.url));
  if (!glue.installZones(data)) throw new TypeError("this is not the file of time zones of this version");
}

async function fetched(source) {
  const response = source instanceof Response ? source : await fetch(source);
  if (!response.ok) throw new TypeError(`time zones: the server answers ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

// Simulations are not made by `new`, because a scenario may have problems.
const made = Symbol("made");

export class Simulation {
  #inner;

  constructor(key, inner) {
    if (key !== made) throw new TypeError("a simulation is made by openSimulation");
    this.#inner = inner;
  }

  free() {
    this.#inner.free();
  }

  step(unit) {
    return this.#inner.step(unit === "decision");
  }

  back(unit) {
    return this.#inner.back(unit === "decision");
  }

  seek(seconds, maxSteps) {
    return this.#inner.seek(seconds, maxSteps);
  }

  position() {
    return this.#inner.position();
  }

  fork() {
    return new Simulation(made, this.#inner.fork());
  }

  inject(action) {
    return this.#inner.inject(action);
  }

  undo(id) {
    return this.#inner.undo(id);
  }

  injected() {
    return this.#inner.injected();
  }

  export() {
    return this.#inner.export();
  }

  frame(options) {
    return this.#inner.frame(options);
  }

  objects() {
    return this.#inner.objects();
  }

  events(from) {
    return this.#inner.events(from);
  }

  logs(pod) {
    return this.#inner.logs(pod);
  }

  decisions(from, count) {
    return this.#inner.decisions(from, count);
  }

  actions() {
    return this.#inner.actions();
  }

  why(target) {
    return this.#inner.why(target);
  }

  kubectl(command) {
    return this.#inner.kubectl(command);
  }

  next() {
    return this.#inner.next();
  }

  parting(other) {
    return this.#inner.parting(other.#inner);
  }

  assertions() {
    return this.#inner.assertions();
  }

  report() {
    return this.#inner.report();
  }
}

export function openSimulation(request) {
  const opening = new glue.Opening(request);
  const problems = decode(opening.problems());
  if (problems.length > 0) {
    opening.free();
    return { ok: false, problems };
  }
  return { ok: true, value: new Simulation(made, opening.take()) };
}
