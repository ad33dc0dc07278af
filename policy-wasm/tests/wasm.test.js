// The package as node sees it: `node --test`, which `cargo xtask wasm --test` packs, installs and calls this with.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";

import * as policy from "policy-wasm";
import * as tools from "policy-wasm/manifests";

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

test("texts are read, checked, expanded and written at their places", () => {
  const text = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: pi\nspec:\n  backofLimit: 3\n  template:\n    spec:\n"
    + "      restartPolicy: Never\n      containers:\n      - name: c\n        image: i\n";
  const [{ object, place }] = good(tools.manifests(new TextEncoder().encode(text)));
  assert.deepEqual([object.metadata.name, place.line], ["pi", 1]);
  const { kind, diagnostics } = good(tools.check(encode({ text })));
  assert.equal(kind, "manifests");
  const [typo] = diagnostics;
  assert.deepEqual([typo.code, typo.severity, typo.place.line], ["StrictDecoding", "error", 6]);
  assert.equal(text.slice(typo.place.from, typo.place.to), "backofLimit");
  const right = text.replace("backofLimit", "backoffLimit");
  const [finding] = good(tools.lint(encode({ text: right })));
  assert.equal(finding.code, "no-deadline");
  assert.ok(policy.openSimulation(encode({ scenario: finding.scenario })).ok);
  const manifest = good(tools.manifests(new TextEncoder().encode(right)))[0].object;
  const worst = good(tools.worstCase(encode({ manifest, runSeconds: 30 })));
  assert.equal(typeof worst, "object");
  const template = right.replace("name: pi", "name: pi-$ITEM");
  const expanded = good(tools.expand(encode({ template, set: ["ITEM=a,b"] })));
  assert.deepEqual(expanded.objects.map((one) => one.metadata.name), ["pi-a", "pi-b"]);
  const yaml = good(tools.toYaml(encode(manifest)));
  assert.deepEqual(good(tools.manifests(new TextEncoder().encode(yaml)))[0].object, manifest);
  const cronJob = { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "c" }, spec: { schedule: "30 2 * * *",
    timeZone: "Europe/Berlin", jobTemplate: { spec: manifest.spec } } };
  const night = good(tools.lint(encode({ text: JSON.stringify(cronJob) })));
  assert.ok(night.some(({ code }) => code === "run-skipped-by-dst"));
  for (const answer of [tools.check, tools.lint, tools.worstCase, tools.expand]) {
    assert.equal(decode(answer(encode({ nope: 1 }))).problems[0].code, "wrong-shape");
  }
  assert.equal(decode(tools.manifests(new TextEncoder().encode("a: b: c"))).problems[0].code, "malformed-yaml");
});

test("kubectl prints what is there at the time", () => {
  const [{ document }] = runs().filter(({ document }) => document.name === "pod-failure-policy-failjob");
  const simulation = opened({ scenario: document });
  simulation.seek(10.5);
  const kubectl = (command) => good(simulation.kubectl(encode(command)));
  const [header, job] = kubectl({ verb: "get", resource: "jobs" }).split("\n");
  assert.match(header, /^NAME +STATUS +COMPLETIONS +DURATION +AGE$/);
  assert.match(job, / Running +0\/8 +10s +10s$/);
  const { pods } = decode(simulation.objects());
  const name = pods[0].metadata.name;
  assert.match(kubectl({ verb: "describe", resource: "pods", name }), /^Name: +\S+\nNamespace: +default\n/);
  assert.match(kubectl({ verb: "describe", resource: "jobs" }), /Events:\n  Type +Reason +Age +From +Message\n/);
  assert.equal(typeof kubectl({ verb: "logs", name }), "string");
  assert.match(kubectl({ verb: "events" }), /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/);
  const unknown = decode(simulation.kubectl(encode({ verb: "get", resource: "pods", name: "nope" }))).problems[0];
  assert.deepEqual([unknown.code, unknown.message], ["unknown-object", 'Error from server (NotFound): pods "nope" not found']);
});

test("zones are asked for when one is named, and come with a file", async () => {
  // A copy is an instance of its own, as a browser has it: without zones.
  cpSync(new URL(".", import.meta.resolve("policy-wasm/package.json")), "fresh", { recursive: true });
  const fresh = await import(new URL("./fresh/index.js", import.meta.url));
  await fresh.load(readFileSync("fresh/glue_bg.wasm"));
  const line = encode({ schedule: "@daily", timeZone: "Europe/Berlin", from: "2026-01-01T00:00:00Z", n: 1 });
  assert.equal(decode(fresh.schedule(line)).problems[0].code, "zones-not-loaded");
  await assert.rejects(fresh.loadZones(new Uint8Array([1, 2, 3])), TypeError);
  await fresh.loadZones(new Uint8Array(readFileSync("fresh/zones.bin")));
  assert.deepEqual(good(fresh.schedule(line)).times, ["2026-01-01T23:00:00Z"]);
});

test("all that types.d.ts declares is there, and nothing else", () => {
  const file = (name) => readFileSync(new URL(name, import.meta.resolve("policy-wasm/package.json")), "utf8");
  const types = file("types.d.ts") + file("simulation.d.ts");
  const functions = (text) => [...new Set([...text.matchAll(/^export function (\w+)/gm)].map((found) => found[1]))].sort();
  const exported = Object.keys(policy).filter((name) => name !== "Simulation");
  assert.deepEqual(exported.sort(), functions(types));
  const others = file("manifests.d.ts");
  assert.deepEqual(Object.keys(tools).sort(), functions(others));
  const [body] = types.match(/export class Simulation \{[^]*?\n\}/);
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
  const loaded = performance.now();
  large.seek(end.seconds / 2);
  console.log(`10,000 Pods: a seek to the middle took ${(performance.now() - loaded).toFixed(0)} ms`);
  large.seek(Infinity);
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
