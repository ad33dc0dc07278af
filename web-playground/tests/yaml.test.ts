import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";

import { readScenario } from "../build/scenarios.ts";
import { ownLines, stepsOf } from "../src/lib/fields.ts";
import { writeYaml } from "../src/lib/yaml.ts";
import { locate, read } from "../src/worker/text.ts";

const folder = fileURLToPath(new URL("../scenarios", import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));

describe("YAML that the page writes", () => {
  test.each(files)("%s is read as what was written, by readers of YAML 1.1 and 1.2", (file) => {
    const document = readScenario(`${folder}/${file}`);
    const text = writeYaml([document]);
    expect(parse(text, { version: "1.2" })).toEqual(document);
    expect(parse(text, { version: "1.1" })).toEqual(document);
  });

  test("strings that look like something else are quoted", () => {
    const odd = ["", " ", "yes", "no", "on", "NULL", "~", "1e3", "0x1F", "1:30", "2026-01-01", "a: b", "a #b", "- a", "? a", "* * * * *", "&a", "!a", "%a",
      "@a", "`a`", "a\nb", "a\tb", "é", "中", "a, b", "[a]", "{a}", "'a'", "\"a\"", "a ", " a", "---", "...", "=", "<<", ".5", "+1", "-1", "a:b", "a:", ":a", "\\", "null", "True", "\u0000", "\u2028", "$ITEM", "a - b", "a -b"];
    for (const value of odd) {
      const values = [{ key: value, list: [value, [value]], [value || "k"]: 1, deep: { [value || "k"]: [{ value }] } }];
      const text = writeYaml(values);
      expect(parseAllDocuments(text, { version: "1.1" }).map((each) => each.toJS() as unknown), text).toEqual(values);
      expect(parseAllDocuments(text, { version: "1.2" }).map((each) => each.toJS() as unknown), text).toEqual(values);
    }
  });
});

describe("texts that are pasted", () => {
  const job = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\nspec:\n  template:\n    spec:\n      containers:\n      - name: c\n        image: i\n";
  test("manifests, scenarios and what a cluster said are told apart", () => {
    expect(read(job)).toMatchObject({ kind: "manifests", documents: [0] });
    expect(read(`${job}---\n${job}`)).toMatchObject({ kind: "manifests", documents: [0, 1] });
    expect(read(readFileSync(`${folder}/cron-hello.yaml`, "utf8"))).toMatchObject({ kind: "scenario" });
    const item = { apiVersion: "batch/v1", kind: "Job", metadata: { name: "a", uid: "1" } };
    expect(read(JSON.stringify({ apiVersion: "v1", kind: "List", items: [item] }))).toMatchObject({ kind: "objects", objects: [item] });
  });

  test("what is wrong is said with its place, and nothing is too much", () => {
    expect(read("a: [")).toMatchObject({ kind: "problems" });
    expect(read("a: 1\na: 2")).toMatchObject({ kind: "problems", problems: [{ from: 5 }] });
    expect(read("")).toMatchObject({ kind: "problems" });
    expect(read("just words")).toMatchObject({ kind: "problems" });
    expect(read(`x: ${"y".repeat(10 << 20)}`)).toMatchObject({ kind: "problems", problems: [{ message: expect.stringContaining("10.0 MiB") }] });
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi".split("").map((name, place) => `${name}: &${name} [${Array(9).fill(`*${"abcdefghi"[place]}`).join(",")}]`).join("\n")}`;
    expect(read(bomb)).toMatchObject({ kind: "problems" });
  });

  test("fields are found, or the nearest that is there", () => {
    const [name, missing, nothing] = locate(job, [
      { document: 0, steps: ["metadata", "name"] }, { document: 0, steps: stepsOf("spec.template.spec.containers[0].command[2]") }, { document: 7, steps: [] },
    ]);
    expect(job.slice(name?.from, name?.to)).toBe("a");
    expect(job.slice(missing?.from).startsWith("name: c")).toBe(true);
    expect(nothing).toBeNull();
  });
});

test("lines that only one of two texts has", () => {
  expect(ownLines(["a", "b", "c", "d"], ["a", "d"])).toEqual([false, true, true, false]);
  expect(ownLines(["a"], [])).toEqual([true]);
});
