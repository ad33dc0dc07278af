// Hostile input: a clear message, and a page that stays usable.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { open, start, type Running } from "./browser.ts";

const FAILJOB = "#a=pod-failure-policy-failjob/base&t=5";
let running: Running;
let page: Page;
beforeAll(async () => {
  running = await start();
  page = running.page;
});
afterAll(() => running.stop());

/** Pastes as a person does; typing ten megabytes takes too long. */
async function paste(text: string): Promise<void> {
  await page.evaluate((pasted) => {
    const data = new DataTransfer();
    data.setData("text/plain", pasted);
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}

async function usable(): Promise<void> {
  await open(running, FAILJOB);
  await page.keyboard.press("End");
  await page.getByTestId("state-a").filter({ hasText: "PodFailurePolicy" }).waitFor({ timeout: 5000 });
  expect(running.errors).toEqual([]);
}

const said = (words: string | RegExp) => page.getByTestId("diagnostics").filter({ hasText: words }).waitFor({ timeout: 15_000 });
const job = (spec: string) => `apiVersion: batch/v1\nkind: Job\nmetadata: {name: big}\nspec:\n  ${spec}\n  template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}\n`;

test("ten megabytes of YAML", async () => {
  await open(running, FAILJOB);
  await paste(`a: |\n${"  some words and more of them\n".repeat(360_000)}`);
  await said("at most 4 MiB");
  await usable();
});

test("aliases that grow without end", async () => {
  await open(running, FAILJOB);
  const lines = ["a: &a [x,x,x,x,x,x,x,x,x]"];
  for (const name of "bcdefghij") lines.push(`${name}: &${name} [${Array(9).fill(`*${String.fromCharCode(name.charCodeAt(0) - 1)}`).join(",")}]`);
  await paste(lines.join("\n"));
  await said(/alias/i);
  await usable();
});

test("deep nesting, and bytes that are no text", async () => {
  await open(running, FAILJOB);
  await paste("[".repeat(100_000));
  await page.getByTestId("diagnostics").waitFor({ timeout: 30_000 });
  await paste("\u0000\u0001\uFFFE{{{");
  await page.getByTestId("diagnostics").waitFor();
  await usable();
});

test("a million completions can be stopped", async () => {
  await open(running, FAILJOB);
  await paste(job("completions: 1000000\n  parallelism: 100000"));
  const stop = page.getByRole("button", { name: "Stop" });
  await stop.waitFor({ timeout: 10_000 });
  // The page answers while the worker computes.
  const began = Date.now();
  await page.getByRole("button", { name: "Switch between light and dark" }).click();
  expect(Date.now() - began).toBeLessThan(1000);
  await stop.click();
  await page.getByText("The run was stopped.").waitFor();
  await usable();
});

test("a schedule that never fires", async () => {
  await open(running, FAILJOB);
  await paste('apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: never}\nspec:\n  schedule: "0 0 31 2 *"\n  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}\n');
  await page.getByTestId("state-a").filter({ hasText: "no run within five years" }).waitFor();
  await usable();
});

test("a schedule that is none", async () => {
  await open(running, FAILJOB);
  await paste('apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: never}\nspec:\n  schedule: "every day"\n  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}}\n');
  await said("spec.schedule");
  await usable();
});

test("broken share links: what can be read is shown, the rest is listed", async () => {
  await open(running, "#a=pod-failure-policy-failjob/nope&b=nothing/base&t=abc&w=9,3&x=%%%&view=up&tab=7");
  const status = page.locator(".status");
  for (const words of ["no variant `nope`", "no scenario `nothing`", "`abc` is not a number", "FROM,TO", "cut short or changed", "is not one of"]) {
    await status.filter({ hasText: words }).waitFor();
  }
  await page.getByTestId("head-a").waitFor();
  await open(running, "#a=<img src=x onerror=alert(1)>/x&x=AAAA");
  await usable();
});

test("a scenario that makes no sense", async () => {
  await open(running, FAILJOB);
  await paste("name: x\ntitle: x\nmanifests: []\nbehaviours: 7\nuntil: -3s\n");
  await page.getByTestId("diagnostics").waitFor();
  await usable();
});
