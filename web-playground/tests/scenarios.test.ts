// Every scenario with every variant, played to its end in the page, is what the command prints.

import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { readScenario } from "../build/scenarios.ts";
import { native, open, reportOf, start, type Running } from "./browser.ts";

const folder = fileURLToPath(new URL("../scenarios", import.meta.url));
/** It takes a minute; `scale.test.ts` says what becomes of large runs. */
const LONG = new Set(["template-expansion/many"]);

const runs = readdirSync(folder).filter((file) => file.endsWith(".yaml")).flatMap((file) => {
  const document = readScenario(`${folder}/${file}`);
  return ["base", ...(document.variants ?? []).map(({ name }) => name)].map((variant) => `${document.name}/${variant}`);
}).filter((run) => !LONG.has(run));

interface Report {
  outcome: string;
  jobs: { status: { active?: number; succeeded?: number; failed?: number } }[];
  assertions: { held: boolean }[];
}

describe("the page ends as the command does", () => {
  let running: Running;
  beforeAll(async () => {
    running = await start();
  });
  afterAll(() => running.stop());

  test.each(runs)("%s", async (run) => {
    const [name = "", variant = ""] = run.split("/");
    const { page, errors } = running;
    await open(running, `#a=${run}`);
    await page.keyboard.press("End");
    const printed = execFileSync(native, ["scenario", "run", name, "--variant", variant, "--output", "json"], { encoding: "utf8", maxBuffer: 1 << 30 });
    const report = JSON.parse(printed) as Report;
    // What is seen.
    const sum = (field: "active" | "succeeded" | "failed") => report.jobs.reduce((total, { status }) => total + (status[field] ?? 0), 0);
    for (const field of ["active", "succeeded", "failed"] as const) {
      await page.locator("[data-testid=head-a] .cnt button", { hasText: new RegExp(`^${field} ${sum(field)}\\b`) }).waitFor();
    }
    const held = report.assertions.filter((each) => each.held).length;
    expect(held, "all that is expected holds").toBe(report.assertions.length);
    await page.locator("[data-testid=cost-a]", { hasText: `${held} of ${report.assertions.length}` }).waitFor();
    // What it is, to the byte.
    expect((await reportOf(page)) === printed, "the report differs").toBe(true);
    expect(errors).toEqual([]);
  });
});
