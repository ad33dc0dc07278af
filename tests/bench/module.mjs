// Times what WebAssembly modules do, in node. Arguments: what to time, the module, and what the row is.
import { readFileSync } from 'node:fs';

const ROW_NANOS = 300e6;
const WARM_NANOS = 300e6;
const SAMPLE_NANOS = 20e3;

const nanos = () => Number(process.hrtime.bigint());

/** The least and the median time of `work(times)`, once the engine has compiled it for good. */
function measure(work) {
  const begun = nanos();
  let once = Infinity;
  do {
    const started = nanos();
    work(1);
    once = Math.min(once, nanos() - started);
  } while (nanos() - begun < WARM_NANOS);
  const times = Math.min(Math.max(Math.floor(SAMPLE_NANOS / once), 1), 100);
  const samples = [];
  const start = nanos();
  while (samples.length < 5 || (nanos() - start < ROW_NANOS && samples.length < 2000)) {
    const started = nanos();
    work(times);
    samples.push((nanos() - started) / times);
  }
  samples.sort((a, b) => a - b);
  return { minNs: Math.round(samples[0]), medianNs: Math.round(samples[samples.length >> 1]) };
}

/** Decisions alone: the module of this crate. */
function decisions(module, [place, pods, mode]) {
  const bytes = module.set_up(Number(place), Number(pods), Number(mode)) >>> 0;
  return { ...measure((times) => module.repeat(times)), bytes };
}

/** What crosses the boundary of the policy module: see docs/wasm-abi.md. */
function driver(module) {
  const decoder = new TextDecoder();
  return (operation, request) => {
    const address = module.alloc(request.length) >>> 0;
    new Uint8Array(module.memory.buffer, address, request.length).set(request);
    const answer = BigInt.asUintN(64, module[operation](address, request.length));
    module.dealloc(address, request.length);
    const [at, length] = [Number(answer >> 32n), Number(answer & 0xffffffffn)];
    const text = decoder.decode(new Uint8Array(module.memory.buffer, at, length));
    module.dealloc(at, length);
    const result = JSON.parse(text);
    if (result.fault) throw new Error(`${operation}: ${result.fault.message}`);
    return result;
  };
}

const bytesOf = (value) => new TextEncoder().encode(JSON.stringify(value));

/** All Pods into a new cache, which goes again. */
function load(module, { job, pods }) {
  const call = driver(module);
  const events = pods.map((applied) => ({ applied }));
  const request = bytesOf({ job, events });
  return measure((times) => {
    for (; times > 0; times--) {
      const { cache } = call('apply', request);
      call('apply', bytesOf({ cache, drop: true }));
    }
  });
}

/** One event into a cache with all Pods, and the sync after it, every call of which succeeds. */
function event(module, { job, pods, changed, now }) {
  const call = driver(module);
  const { cache } = call('apply', bytesOf({ job, events: pods.map((applied) => ({ applied })) }));
  const events = changed.map((applied) => bytesOf({ cache, events: [{ applied }] }));
  const begin = bytesOf({ cache, now, render: false });
  let next = 0;
  return measure((times) => {
    for (; times > 0; times--) {
      call('apply', events[next++ % events.length]);
      let step = call('begin', begin);
      while (step.wave) {
        const outcomes = step.wave.calls.map(() => ({ done: { name: '' } }));
        step = call('resume', bytesOf({ paused: step.paused, now, outcomes }));
      }
    }
  });
}

const [what, file, ...row] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(readFileSync(file), {});
const given = () => JSON.parse(readFileSync(0, 'utf8'));
const result = {
  decide: () => decisions(instance.exports, row),
  load: () => load(instance.exports, given()),
  event: () => event(instance.exports, given()),
}[what]();
console.log(JSON.stringify(result));
