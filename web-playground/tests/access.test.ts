// For everyone: no violations that axe finds, nothing wider than a narrow page, words in both languages.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

import type axe from "axe-core";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { newPage, open, start, type Running } from "./browser.ts";
import { en } from "../src/i18n/en.ts";
import { zh } from "../src/i18n/zh.ts";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const COMPARED = "#a=pod-failure-policy-failjob/base&b=pod-failure-policy-failjob/policy-off&t=32.6&w=0,220";

let running: Running;
beforeAll(async () => {
  running = await start();
});
afterAll(() => running.stop());

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(source);
  const found = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")} ${failureSummary ?? ""}`));
}

/** What is looked at: an address, and what is done before. */
const looks: [string, string, ((page: Page) => Promise<void>)?][] = [
  ["two runs", COMPARED],
  ["a Pod explained, with the table", COMPARED, async (page) => {
    await page.getByRole("button", { name: "As a table" }).click();
    await page.getByTestId("lanes-a").click({ position: { x: 200, y: 12 } });
    await page.getByRole("button", { name: /^All \d+ rules/ }).click();
  }],
  ["indexes", "#a=indexed-static/index-fails&t=10&view=indexes"],
  ["a CronJob", "#a=cron-hello/forbid&t=200"],
  ["the editor with a mistake", "#a=coarse-work-queue/base&t=5", async (page) => {
    await page.getByTestId("paste").getByRole("textbox").fill("apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\nspec: {completions: -1, template: {spec: {containers: []}}}\n");
    await page.getByTestId("diagnostics").waitFor();
    await page.getByTestId("editor").locator(".cm-content").waitFor();
  }],
  ["a form of the toolbar", "#a=coarse-work-queue/base&t=5", (page) => page.getByRole("button", { name: "Edit spec" }).click()],
  ["the share dialog", COMPARED, (page) => page.locator("header.bar button", { hasText: "Share" }).click()],
];

/** Everything once; elsewhere what differs by colour or width. */
const places = [["light", 1440, looks], ["dark", 1440, looks.slice(1, 6)], ["dark", 360, looks.slice(0, 1)], ["light", 360, looks.slice(2, 4)], ["light", 900, looks.slice(0, 1)]] as const;

describe.each(places)("%s, %i pixels wide", (colorScheme, width, here) => {
  test.each(here)("%s", async (_, hash, act) => {
    const { page } = await newPage(running.browser, { colorScheme, viewport: { width, height: 900 } });
    await page.addInitScript(() => localStorage.setItem("playground.toured", "yes"));
    await open({ ...running, page }, hash);
    if (width >= 1120) await act?.(page);
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), "wider than the page").toBeLessThanOrEqual(0);
    if (width < 760) {
      for (const panel of await page.locator("nav.nav button").all()) {
        await panel.click();
        expect(await violations(page)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), "wider than the page").toBeLessThanOrEqual(0);
      }
    }
    await page.context().close();
  });
});

test("the lanes are there as a table", async () => {
  await open(running, COMPARED);
  const rows = running.page.locator("[data-testid=lanes-b] ~ div table tbody tr");
  expect(await rows.count()).toBe(8);
  expect(await rows.first().textContent()).toMatch(/job-pod-failure-policy-failjob-\w+.*node-\d.*Failed.*42/);
});

test("both languages have the same words to fill in", () => {
  const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
  for (const key of Object.keys(en) as (keyof typeof en)[]) expect(names(zh[key]), key).toEqual(names(en[key]));
});

test("the page speaks Chinese", async () => {
  const { page, errors } = await newPage(running.browser, { locale: "zh-CN" });
  await open({ ...running, page }, COMPARED);
  await page.getByText("Pod 失效策略 · FailJob").waitFor();
  expect(await page.evaluate(() => document.documentElement.lang)).toBe("zh-CN");
  expect(await page.getByTestId("part").innerText()).toContain("0:32 起分叉。");
  expect(await violations(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});
