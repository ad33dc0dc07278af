// What a person does with the page: breaks things, undoes, compares, shares, exports, pastes, and uses the keyboard.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { native, newPage, open, reportOf, start, type Running } from "./browser.ts";

const FAILJOB = "#a=pod-failure-policy-failjob/base";
const COMPARED = `${FAILJOB}&b=pod-failure-policy-failjob/policy-off`;

let running: Running;
let page: Page;
beforeAll(async () => {
  running = await start();
  page = running.page;
});
afterAll(() => running.stop());

const button = (name: string) => page.getByTestId("break").getByRole("button", { name, exact: true });
const edits = () => page.getByTestId("edits").locator("li");
const clock = () => page.getByTestId("clock").innerText();
const state = (side = "a") => page.getByTestId(`state-${side}`).innerText();

/** Runs a scenario with the command and gives what it printed. */
function runNatively(yaml: string): string {
  const folder = mkdtempSync(join(tmpdir(), "playground-"));
  try {
    const file = join(folder, "exported.yaml");
    writeFileSync(file, yaml);
    const run = (): string => execFileSync(native, ["scenario", "run", file, "--output", "json"], { encoding: "utf8", maxBuffer: 1 << 30 });
    try {
      return run();
    } catch (error) {
      // Assertions of the scenario need not hold any more: the exit code says so, and the report is there.
      return String((error as { stdout?: unknown }).stdout);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function exported(): Promise<string> {
  await page.locator("header.bar button", { hasText: "Export" }).click();
  const text = page.getByTestId("export-text");
  await expect.poll(async () => (await text.textContent())?.length ?? 0).toBeGreaterThan(100);
  const yaml = (await text.textContent()) ?? "";
  await page.keyboard.press("Escape");
  return yaml;
}

/** Each tool, and the words with which the scenario then speaks of it. */
const tools: [string, RegExp, ((page: Page) => Promise<void>)?][] = [
  ["Kill, exit…", /killed with exit code 7/, async (on) => {
    await on.getByLabel("Exit code").fill("7");
    await on.getByRole("button", { name: /^Do it/ }).click();
  }],
  ["Delete", /delete/],
  ["Bad image", /image/],
  ["Condition…", /patch|condition/i, (on) => on.getByRole("button", { name: /^Do it/ }).click()],
  ["Drain", /drain/],
  ["Lose", /node-\d/],
  ["Restart", /controller/i],
  ["Stale cache", /watch/i],
  ["Lose a reply", /response/i],
  ["Edit spec", /patch/, async (on) => {
    await on.getByLabel("parallelism").fill("1");
    await on.getByRole("button", { name: /^Do it/ }).click();
  }],
];

test.each(tools)("%s is a line of the scenario, runs natively, and can be undone", async (name, words, more) => {
  await open(running, `${FAILJOB}&t=12`);
  const before = await reportOf(page);
  await button(name).click();
  await more?.(page);
  await edits().waitFor();
  expect(await edits().count()).toBe(1);
  expect(await edits().first().innerText()).toMatch(words);
  expect(await clock()).toBe("0:12.0");
  const after = await reportOf(page);
  expect(after === before).toBe(false);
  // Names and times of assertions may differ by what was done; the run itself does not.
  expect(JSON.parse(runNatively(await exported()))).toEqual(JSON.parse(after));
  await page.keyboard.press("z");
  await page.getByTestId("edits").waitFor({ state: "detached" });
  expect((await reportOf(page)) === before).toBe(true);
});

test("two runs stand beside each other on one clock, and the point where they part is marked and explained", async () => {
  await open(running, COMPARED);
  expect(await page.getByTestId("part").innerText()).toContain("They part at 0:32.");
  expect(await page.getByTestId("part").innerText()).toContain("A 0:32, 2 Pods · B 9:02, 8 Pods");
  await page.keyboard.press("d");
  expect(await clock()).toBe("0:32.5");
  expect(await state("a")).toBe("Failed · PodFailurePolicy");
  await page.getByTestId("state-b").filter({ hasText: "next retry in 17 s" }).waitFor();
  const card = page.getByTestId("part-card");
  expect(await card.innerText()).toContain("pod-failure-policy-rule-matched");
  expect(await card.innerText()).toContain("creation-waits-for-backoff");
  // An edited run beside the run before.
  await open(running, `${FAILJOB}&t=12`);
  await button("Delete").click();
  await page.getByRole("button", { name: "Compare with the run before" }).click();
  await page.getByTestId("head-b").waitFor();
  expect(await page.getByTestId("part").innerText()).toMatch(/They part at 0:1[23]/);
});

test("a share link shows the same to someone else", async () => {
  await open(running, `${COMPARED}&t=12`);
  await button("both").click();
  await button("Delete").click();
  await edits().nth(1).waitFor();
  await page.getByTestId("lanes-b").click({ position: { x: 200, y: 60 } });
  await page.locator("[data-testid=why] .target").waitFor();
  await page.locator("header.bar button", { hasText: "Share" }).click();
  const address = await page.getByTestId("share-address").inputValue();
  await page.keyboard.press("Escape");
  const seen = async (from: Page) => [
    await from.getByTestId("clock").innerText(), await from.getByTestId("head-a").innerText(), await from.getByTestId("head-b").innerText(),
    await from.locator("[data-testid=why] .target").innerText(), await from.locator("[data-testid=why] .whyh").allInnerTexts(), await from.getByTestId("edits").innerText(),
  ];
  const other = await newPage(running.browser);
  await other.page.addInitScript(() => localStorage.setItem("playground.toured", "yes"));
  await other.page.goto(address);
  await other.page.locator("[data-testid=edits] li").nth(1).waitFor();
  await expect.poll(() => seen(other.page)).toEqual(await seen(page));
  expect((await reportOf(other.page)) === (await reportOf(page))).toBe(true);
  await other.page.context().close();
});

test("what was exported is taken back by pasting", async () => {
  await open(running, "#a=coarse-work-queue/completions-5&t=7");
  await button("Delete").click();
  await edits().waitFor();
  const report = await reportOf(page);
  const yaml = await exported();
  await open(running, COMPARED);
  await page.getByTestId("paste").getByRole("textbox").fill(yaml);
  await page.locator("[data-testid=head-a]", { hasText: "/5" }).waitFor();
  // What is exported has its variant laid over it already.
  const run = (text: string) => ({ ...(JSON.parse(text) as object), variant: null });
  expect(run(await reportOf(page))).toEqual(run(report));
  expect(run(runNatively(yaml))).toEqual(run(report));
});

test("a Job of one's own plays, and a mistake is shown at its line while the last valid run stays", async () => {
  await open(running, FAILJOB);
  await page.getByRole("button", { name: "start from a template" }).click();
  await page.locator("[data-testid=head-a]", { hasText: "/4" }).waitFor();
  const content = page.getByTestId("editor").locator(".cm-content");
  await content.waitFor();
  await content.press("Control+a");
  await page.keyboard.insertText("apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: mine\nspec:\n  completions: -4\n  template:\n    spec:\n      restartPolicy: Never\n      containers:\n      - name: main\n        image: busybox\n");
  const found = page.getByTestId("diagnostics").locator("li").first();
  await found.filter({ hasText: "spec.completions" }).waitFor();
  expect(await found.innerText()).toMatch(/^6 /);
  expect(await page.getByTestId("head-a").innerText()).toContain("/4");
  await content.press("Control+a");
  await page.keyboard.insertText("apiVersion: batch/v1\nkind: Job\nmetadata: {name: mine}\nspec:\n  completions: 3\n  template:\n    spec:\n      restartPolicy: Never\n      containers: [{name: main, image: busybox}]\n");
  await page.locator("[data-testid=head-a]", { hasText: "/3" }).waitFor();
  // When a whole text is replaced Chromium itself writes styles into what can be edited; the page's policy refuses them.
  const own = running.errors.filter((error) => !error.startsWith("Applying inline style violates"));
  expect(own).toEqual([]);
  running.errors.length = 0;
});

test("the output of kubectl is explained", async () => {
  await open(running, `${FAILJOB}&t=40`);
  const { jobs, pods } = JSON.parse(await reportOf(page)) as { jobs: object[]; pods: object[] };
  const list = { apiVersion: "v1", kind: "List", items: [...jobs.map((job) => ({ apiVersion: "batch/v1", kind: "Job", ...job })), ...pods.map((pod) => ({ apiVersion: "v1", kind: "Pod", ...pod }))] };
  await page.getByTestId("paste").getByRole("textbox").fill(JSON.stringify(list));
  const explained = page.getByTestId("explained");
  await explained.waitFor();
  expect(await explained.innerText()).toContain("job/default/job-pod-failure-policy-failjob");
  expect(await explained.innerText()).toContain("PodFailurePolicy");
  await explained.getByRole("button", { name: "Close" }).click();
  await page.getByTestId("head-a").waitFor();
});

test("all of it can be done with keys", async () => {
  await open(running, COMPARED);
  const press = (key: string) => page.keyboard.press(key);
  await page.locator("body").click({ position: { x: 700, y: 5 } });
  await press("."); await press(".");
  const second = await clock();
  await press(","); await press(".");
  expect(await clock()).toBe(second);
  await press("Home");
  expect(await clock()).toBe("0:00.0");
  await press("ArrowRight"); await press("Shift+ArrowRight");
  expect(await clock()).toBe("0:11.0");
  await press("End");
  expect(await clock()).toBe("9:02.5");
  await press("d");
  expect(await clock()).toBe("0:32.5");
  await press("Space");
  await expect.poll(clock).not.toBe("0:32.5");
  await press("Space");
  const stopped = await clock();
  await page.waitForTimeout(200);
  expect(await clock()).toBe(stopped);
  await page.getByTestId("lanes-b").focus();
  await press("ArrowDown"); await press("ArrowDown"); await press("Enter");
  expect(await page.locator("[data-testid=why] .target").innerText()).toContain("pod/job-pod-failure-policy-failjob-");
  await press("Escape");
  await page.locator("[data-testid=why] .target").waitFor({ state: "detached" });
  await press("b");
  expect(await page.evaluate(() => document.activeElement?.closest("[data-testid=break]") !== null)).toBe(true);
  await press("/");
  expect(await page.evaluate(() => document.activeElement?.closest("[data-testid=scenario]") !== null)).toBe(true);
  await press("?");
  await page.getByRole("dialog").waitFor();
  await press("Escape");
  expect(running.errors).toEqual([]);
});

test("Pods, gaps, counts and conditions can be asked about", async () => {
  await open(running, "#a=pod-failure-policy-failjob/policy-off&t=100&w=0,220");
  const target = page.locator("[data-testid=why] .target .mono");
  const lanes = page.getByTestId("lanes-a");
  await lanes.click({ position: { x: 200, y: 12 } });
  expect(await target.innerText()).toMatch(/^pod\//);
  await page.locator("[data-testid=head-a] .cnt button", { hasText: "failed" }).click();
  expect(await target.innerText()).toContain("status.failed");
  // Before the third Pod is made there is a gap in its lane.
  const box = await lanes.boundingBox();
  await lanes.click({ position: { x: 132 + ((box?.width ?? 0) - 146) * (40 / 220), y: 24 * 2 + 12 } });
  expect(await target.innerText()).toContain("no Pod");
  await page.locator("[data-testid=why] .whyh", { hasText: /back-off|wait/i }).waitFor();
  await page.keyboard.press("End");
  await page.locator("[data-testid=head-a] .cond button", { hasText: "Failed" }).click();
  expect(await target.innerText()).toContain("status.conditions[Failed]");
});

test("the first view plays at once, and the page is kept for use without a network", async () => {
  const first = await newPage(running.browser, { reducedMotion: "no-preference" });
  await first.page.goto(running.site.address);
  await first.page.getByTestId("head-b").waitFor();
  await expect.poll(async () => (await first.page.getByTestId("clock").innerText()).startsWith("0:00")).toBe(false);
  await first.page.getByTestId("tour").waitFor();
  for (let step = 0; step < 5; step += 1) await first.page.getByTestId("tour").locator(".primary").click();
  await first.page.getByTestId("tour").waitFor({ state: "detached" });
  await first.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    while (!(await caches.keys()).length || !navigator.serviceWorker.controller) await new Promise((wait) => setTimeout(wait, 100));
  });
  await first.page.context().setOffline(true);
  await first.page.goto(`${running.site.address}#a=cron-hello/forbid&lang=zh`);
  await first.page.reload();
  await first.page.getByTestId("head-a").waitFor();
  await first.page.getByText("时间线").first().waitFor();
  expect(first.errors).toEqual([]);
  await first.page.context().close();
}, 90_000);
