// The package as node sees it: `node --test`, which `cargo xtask wasm --test` packs, installs and calls this with.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";

import * as policy from "policy-wasm";

const { decode, encode } = policy;

/** The command, built natively, to compare with. */
const command = process.env.JOBPOLICY;
/** Runs of all bundled scenarios as the command writes them, and the guest's module. */
const expected = process.env.JOBPOLICY_EXPECTED;
const guestPath = process.env.JOBPOLICY_GUEST;

function runs() {
  return JSON.parse(readFileSync(expected, "utf8"));
}

function opened(request) {
  const result = policy.openSimulation(encode(request));
  assert.ok(result.ok, JSON.stringify(result.problems));
  return result.value;
}

function good(bytes) {
  const result = decode(bytes);
  assert.ok(result.ok, JSON.stringify(result.problems));
  return result.value;
}

test("every scenario and variant runs as it does natively, byte for byte", () => {
  let count = 0;
  for (const { document, variant, report } of runs()) {
    const simulation = opened({ scenario: document, variant });
    const ours = new TextDecoder().decode(simulation.report());
    // Not `equal`, which would print megabytes.
    const differs = ours === report ? -1 : [...ours].findIndex((letter, place) => letter !== report[place]);
    assert.ok(ours === report, `${document.name} ${variant}: ${ours.slice(Math.max(0, differs - 100), differs + 100)}`);
    const run = ["scenario", "run", document.name, "--variant", variant, "--output", "json"];
    const printed = execFileSync(command, run, { encoding: "utf8", maxBuffer: 1 << 30 });
    assert.ok(printed === report, `${document.name} ${variant}: the command prints something else`);
    simulation.free();
    count += 1;
  }
  assert.ok(count >= 40, `${count} runs`);
});

test("what is seen at a time does not depend on the way there", () => {
  const [{ document, variant }] = runs().filter(({ document }) => document.name === "pod-failure-policy-failjob");
  const simulation = opened({ scenario: document, variant });
  const end = decode(simulation.seek(Infinity));
  assert.ok(end.ended);
  const there = opened({ scenario: document, variant });
  for (const seconds of [20, 3, 29.5, 0, 11.25, 30]) {
    const fresh = opened({ scenario: document, variant });
    fresh.seek(seconds);
    there.seek(seconds);
    assert.deepEqual(decode(there.frame()), decode(fresh.frame()), `${seconds}`);
    fresh.free();
  }
  simulation.seek(10);
  const before = decode(simulation.position());
  const after = decode(simulation.step("decision"));
  assert.equal(after.decisions, before.decisions + 1);
  assert.ok(decode(simulation.back("decision")).decisions <= before.decisions);
});

test("what is injected is a line of the scenario, and can be taken back", () => {
  const [{ document }] = runs().filter(({ document }) => document.name === "pod-failure-policy-failjob");
  const simulation = opened({ scenario: document });
  simulation.seek(12.5);
  const before = decode(simulation.frame());
  const pod = before.lanes.find((lane) => lane.stage === "running");
  const injected = good(simulation.inject(encode({ kill: { pod: { name: pod.pod }, exitCode: 1 } })));
  assert.equal(injected.seconds, 12.5);
  const killed = decode(simulation.seek(20)) && decode(simulation.frame());
  assert.notEqual(killed.lanes.find((lane) => lane.pod === pod.pod).stage, "running");
  const again = opened({ scenario: decode(simulation.export()) });
  again.seek(20);
  assert.deepEqual(decode(again.frame()), killed);
  assert.equal(new TextDecoder().decode(again.report()), new TextDecoder().decode(simulation.report()));
  const fork = simulation.fork();
  good(simulation.undo(injected.id));
  simulation.seek(12.5);
  assert.deepEqual(decode(simulation.frame()), before);
  assert.equal(decode(fork.injected()).length, 1);
  assert.equal(decode(simulation.parting(again)) === null, false);
});

test("every injection that the page offers is taken", () => {
  const [{ document }] = runs().filter(({ document }) => document.name === "pod-failure-policy-failjob");
  const simulation = opened({ scenario: document });
  simulation.seek(5);
  const job = decode(simulation.frame()).jobs[0].name;
  const image = decode(simulation.objects()).pods[0].spec.containers[0].image;
  for (const action of [
    { kill: { pod: { job, nth: 1 }, exitCode: 42 } },
    { drain: "node-1" },
    { uncordon: "node-1" },
    { crashNode: "node-2" },
    { recoverNode: "node-2" },
    { breakImage: { image } },
    { repairImage: { image } },
    { delete: { pod: { job, nth: 1 } } },
    { scale: { job, parallelism: 1 } },
    { suspend: `job/${job}` },
    { resume: `job/${job}` },
    { fault: { crashController: {} } },
    { fault: { freezeWatch: { for: "5s" } } },
    { fault: { loseResponse: {} } },
  ]) {
    good(simulation.inject(encode(action)));
    simulation.step("event");
  }
  assert.equal(decode(simulation.injected()).length, 14);
});

test("why answers about Jobs, Pods, gaps, counts and conditions", () => {
  const [{ document }] = runs().filter(({ document }) => document.name === "pod-failure-policy-failjob");
  const simulation = opened({ scenario: document });
  simulation.seek(Infinity);
  const frame = decode(simulation.frame());
  const [{ name }] = frame.jobs;
  for (const target of [
    { kind: "job", name },
    { kind: "pod", name: frame.lanes[0].pod },
    { kind: "gap", job: name, index: 0 },
    { kind: "count", job: name, field: "failed" },
    { kind: "condition", job: name, type: "Failed" },
  ]) {
    const why = good(simulation.why(encode(target)));
    assert.ok(why.summary.length > 0 && why.findings.length > 0 && why.text.includes(why.summary), target.kind);
  }
  const condition = good(simulation.why(encode({ kind: "condition", job: name, type: "FailureTarget" })));
  assert.ok(condition.findings.some(({ rule, verdict }) => rule === "pod-failure-policy-fails-job" && verdict === "held"));
  const unknown = decode(simulation.why(encode({ kind: "pod", name: "nope" })));
  assert.equal(unknown.problems[0].code, "unknown-object");
});

test("problems are objects with a code and a path", () => {
  const [{ document }] = runs();
  const wrong = { ...document, manifets: [] };
  const { ok, problems } = policy.openSimulation(encode({ scenario: wrong }));
  assert.equal(ok, false);
  assert.equal(problems[0].code, "invalid-scenario");
  assert.equal(problems[0].path, "manifets");
  const variant = policy.openSimulation(encode({ scenario: document, variant: "nope" })).problems[0];
  assert.equal(variant.code, "unknown-variant");
  for (const answer of [policy.decide, policy.schedule, policy.validate, policy.explain, policy.checkScenario]) {
    for (const bytes of [new Uint8Array(), encode([]), new Uint8Array([255]), encode({ nope: 1 })]) {
      const result = decode(answer(bytes));
      assert.equal(result.ok, false);
      assert.equal(typeof result.problems[0].code, "string");
    }
  }
  const simulation = opened({ scenario: document });
  const timed = decode(simulation.inject(encode({ drain: "node-1", at: "3s" })));
  assert.deepEqual([timed.problems[0].code, timed.problems[0].path], ["not-allowed-here", "at"]);
  const typo = decode(simulation.inject(encode({ drian: "node-1" })));
  assert.equal(typo.problems[0].path, "drian");
});

test("decide, schedule, validate and explain answer", () => {
  const schedule = good(policy.schedule(encode({ schedule: "@daily", from: "2026-01-01T00:00:00Z", n: 1 })));
  assert.deepEqual(schedule.times, ["2026-01-02T00:00:00Z"]);
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };
  const object = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "pi" }, spec: { template } };
  assert.deepEqual(good(policy.validate(encode({ object }))).errors, []);
  const report = good(policy.explain(encode({ objects: [object], now: "2026-01-01T00:00:00Z" })));
  assert.equal(report.jobs[0].state, "waiting");
  const scenario = good(policy.scenarioOf(encode([object])));
  assert.equal(decode(opened({ scenario }).seek(Infinity)).ended, true);
  assert.ok(decode(policy.rules()).length > 50);
  assert.equal(decode(policy.version()).kubernetes, "v1.37.2");
});

test("all that types.d.ts declares is there, and nothing else", () => {
  const types = readFileSync(new URL("types.d.ts", import.meta.resolve("policy-wasm/package.json")), "utf8");
  const live = types.slice(0, types.lastIndexOf("/*"));
  const functions = new Set([...live.matchAll(/^export function (\w+)/gm)].map((found) => found[1]));
  const exported = Object.keys(policy).filter((name) => name !== "Simulation");
  assert.deepEqual(exported.sort(), [...functions].sort());
  const [body] = live.match(/export class Simulation \{[^]*?\n\}/);
  const methods = [...body.matchAll(/^ {2}(\w+)\(/gm)].map((found) => found[1]);
  const own = Object.getOwnPropertyNames(policy.Simulation.prototype).filter((name) => name !== "constructor");
  assert.deepEqual(own.sort(), methods.filter((name) => name !== "constructor").sort());
});

test("a Job of 10,000 Pods runs, and a Job of 1,000 Pods seeks anywhere", () => {
  const container = { name: "c", image: "i" };
  const of = (completions, parallelism) => ({
    name: "many", title: "Many Pods", until: "24h",
    cluster: { nodes: [{ name: "n", pods: 100000, cpu: "1000000", memory: "1000Ti" }], controller: { qps: 1e6, burst: 1000000 } },
    manifests: [{ apiVersion: "batch/v1", kind: "Job", metadata: { name: "many" }, spec: { completions, parallelism,
      completionMode: "Indexed", template: { spec: { restartPolicy: "Never", containers: [container] } } } }],
    behaviours: [{ script: [{ run: "5s" }] }],
  });
  const large = opened({ scenario: of(10000, 500) });
  const began = performance.now();
  const end = decode(large.seek(Infinity));
  const took = performance.now() - began;
  assert.equal(decode(large.frame(encode({ lanes: { count: 0 } }))).jobs[0].status.succeeded, 10000);
  console.log(`10,000 Pods: ${took.toFixed(0)} ms, ${end.steps} steps`);
  large.free();
  const small = opened({ scenario: of(1000, 50) });
  const { seconds } = decode(small.seek(Infinity));
  let longest = 0;
  for (let place = 0; place < 40; place += 1) {
    const from = performance.now();
    small.seek(((place * 17) % 40) / 40 * seconds);
    small.frame();
    longest = Math.max(longest, performance.now() - from);
  }
  console.log(`1,000 Pods: the longest of 40 seeks with a frame took ${longest.toFixed(1)} ms`);
});

test("the policy module imports nothing and decides as the command does", () => {
  const module = new WebAssembly.Module(readFileSync(guestPath));
  assert.equal(WebAssembly.Module.imports(module).length, 0);
  const { exports } = new WebAssembly.Instance(module);
  assert.equal(exports.abi_version(), 1);
  const ask = (operation, request) => {
    const address = exports.alloc(request.length);
    new Uint8Array(exports.memory.buffer, address, request.length).set(request);
    const packed = BigInt.asUintN(64, exports[operation](address, request.length));
    const [at, length] = [Number(packed >> 32n), Number(packed & 0xffffffffn)];
    const answer = new TextDecoder().decode(new Uint8Array(exports.memory.buffer, at, length));
    assert.equal(exports.dealloc(address, request.length), 1);
    assert.equal(exports.dealloc(at, length), 1);
    return answer;
  };
  const vectors = ["job-random", "job-trajectory", "sync"];
  for (const name of vectors) {
    const file = `${process.env.JOBPOLICY_VECTORS}/${name}.jsonl.gz`;
    const lines = gunzipSync(readFileSync(file)).toString().split("\n").filter(Boolean).slice(0, 3000);
    const input = `${lines.join("\n")}\n`;
    const options = { input, maxBuffer: 1 << 30 };
    const native = execFileSync(command, ["decide", "--stream"], options).toString().trimEnd().split("\n");
    assert.equal(native.length, lines.length);
    lines.forEach((line, place) => assert.ok(ask("decide", new TextEncoder().encode(line)) === native[place], line.slice(0, 200)));
  }
  assert.equal(JSON.parse(ask("begin", new TextEncoder().encode("{"))).fault.code, "malformed");
  const lost = BigInt.asUintN(64, exports.resume(12345, 10));
  const view = new Uint8Array(exports.memory.buffer, Number(lost >> 32n), Number(lost & 0xffffffffn));
  assert.equal(JSON.parse(new TextDecoder().decode(view)).fault.code, "badPointer");
});
