// Writes YAML. Reading it needs a parser, which is loaded when a text comes; writing is needed at first sight.

/** Keys that people look for first, in this order; the others follow as they come. */
const FIRST = [
  "apiVersion", "kind", "name", "title", "summary", "metadata", "generateName", "namespace", "labels", "annotations", "schedule", "timeZone",
  "concurrencyPolicy", "startingDeadlineSeconds", "suspend", "completions", "parallelism", "completionMode", "backoffLimit", "backoffLimitPerIndex",
  "maxFailedIndexes", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "jobTemplate", "spec", "restartPolicy", "image", "command", "args",
];
const LAST = ["template", "podFailurePolicy", "successPolicy", "behaviours", "actions", "assertions", "variants"];
const rank = (key: string) => {
  const first = FIRST.indexOf(key);
  return first >= 0 ? first : FIRST.length + 1 + (LAST.indexOf(key) + 1);
};

/** Text that a reader of YAML 1.1 or 1.2 takes for the same string without quotes. */
const PLAIN = /^[A-Za-z/_$][^\s:#[\]{},&*!|>'"%@`\\]*(?: [^\s:#[\]{},&*!|>'"%@`\\-][^\s:#[\]{},&*!|>'"%@`\\]*)*$/;
const WORDS = /^(?:true|false|yes|no|on|off|null|y|n|nan|\.?inf)$/i;

function scalar(value: unknown): string {
  if (typeof value !== "string") return value === undefined ? "null" : JSON.stringify(value);
  return PLAIN.test(value) && !WORDS.test(value) && !/^[\d.+-]/.test(value) ? value : JSON.stringify(value);
}

const isBranch = (value: unknown): value is object => value !== null && typeof value === "object" && Object.keys(value).length > 0;
const leaf = (value: unknown) => (value !== null && typeof value === "object" ? (Array.isArray(value) ? "[]" : "{}") : scalar(value));

/** A list of short plain values stays on its line. */
function flow(value: unknown[]): string | null {
  if (!value.every((each) => each === null || typeof each !== "object")) return null;
  const line = `[${value.map((each) => (typeof each === "string" && /[,[\]{}]/.test(each) ? JSON.stringify(each) : scalar(each))).join(", ")}]`;
  return line.length <= 60 ? line : null;
}

function lines(value: object, indent: string): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((each: unknown) => {
      if (!isBranch(each)) return [`${indent}- ${leaf(each)}`];
      const [first = "", ...rest] = lines(each, `${indent}  `);
      return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
    });
  }
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  entries.sort(([one], [other]) => rank(one) - rank(other));
  return entries.flatMap(([key, each]) => {
    const name = `${indent}${scalar(key)}:`;
    if (!isBranch(each)) return [`${name} ${leaf(each)}`];
    const short = Array.isArray(each) ? flow(each) : null;
    if (short) return [`${name} ${short}`];
    return [name, ...lines(each, Array.isArray(each) ? indent : `${indent}  `)];
  });
}

/** YAML of values, a document each. */
export function writeYaml(values: unknown[]): string {
  return values.map((value) => `${(isBranch(value) ? lines(value, "") : [leaf(value)]).join("\n")}\n`).join("---\n");
}
