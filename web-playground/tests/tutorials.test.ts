// What stands beside a run: the tutorial's text, the tour, what kubectl prints, and the CronJob view.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { newPage, open, start, type Running } from "./browser.ts";

let running: Running;
beforeAll(async () => {
  running = await start();
});
afterAll(() => running.stop());

const COMPARED = "#a=pod-failure-policy-failjob/base&b=pod-failure-policy-failjob/policy-off&t=32.6&w=0,220";

describe("texts", () => {
  test("a button in the text opens the variant", async () => {
    const { page, errors } = running;
    await open(running, "#a=cron-hello/base&t=0");
    const about = page.getByTestId("about");
    await about.locator("details:not([open]) summary").click();
    await about.getByRole("button", { name: "spring night" }).click();
    await page.getByTestId("about").getByText("The night in which clocks go forward").waitFor();
    await page.locator(".vars [aria-pressed=true]", { hasText: "spring night" }).waitFor();
    expect(errors).toEqual([]);
  });
  test("Chinese is loaded when it is chosen", async () => {
    const { page } = running;
    await open(running, "#a=indexed-dns/no-service&t=0");
    await page.getByTestId("about").getByText("No Service").first().waitFor();
    await page.getByRole("button", { name: /Switch to Chinese/ }).click();
    await page.getByTestId("about").getByText("没有 Service 就没有名字").waitFor();
    await page.getByRole("button", { name: /切换为英文/ }).click();
    await page.getByTestId("about").getByText("A headless Service").waitFor();
  });
});

describe("kubectl", () => {
  const printed = (page: Page, side: string) => page.getByTestId(`printed-${side}`);
  test("keys change the tab, and the text is of the time", async () => {
    const { page, errors } = running;
    await open(running, COMPARED);
    await printed(page, "a").first().getByText(/kubectl get jobs/).waitFor();
    await printed(page, "b").last().getByText(/job-pod-failure-policy-failjob-\w+ .*\n.*job-pod-failure-policy-failjob-/).waitFor();
    await page.locator("mark").first().waitFor();
    await page.keyboard.press("3");
    await printed(page, "a").getByText(/kubectl logs job-pod-failure-policy-failjob-/).waitFor();
    await page.keyboard.press("4");
    await printed(page, "a").getByText(/SuccessfulCreate/).first().waitFor();
    await page.getByRole("tab", { name: "events" }).press("ArrowLeft");
    expect(await page.getByRole("tab", { name: "logs" }).getAttribute("aria-selected")).toBe("true");
    await page.keyboard.press("2");
    await page.getByTestId("kubectl").getByRole("combobox").selectOption({ index: 1 });
    await printed(page, "a").getByText(/pods.* job-pod-failure-policy-failjob-\w+/).waitFor();
    expect(errors).toEqual([]);
  });
});

describe("the tour", () => {
  test("is given once, to its end, by keyboard", async () => {
    const { page, errors } = await newPage(running.browser);
    await page.goto(running.site.address);
    const tour = page.getByTestId("tour");
    await tour.getByText("1/6").waitFor();
    for (let step = 1; step < 6; step += 1) {
      await tour.getByRole("button", { name: "Next" }).press("Enter");
      await tour.getByText(`${step + 1}/6`).waitFor();
    }
    await tour.getByRole("button", { name: "Done" }).press("Enter");
    await tour.waitFor({ state: "detached" });
    await page.reload();
    await page.getByTestId("cost-a").waitFor();
    expect(await tour.count()).toBe(0);
    expect(errors).toEqual([]);
    await page.context().close();
  });
  test("ends with Escape, and is off where the address says so", async () => {
    const { page } = await newPage(running.browser);
    await page.goto(`${running.site.address}#tour=0`);
    await page.getByTestId("cost-a").waitFor();
    expect(await page.getByTestId("tour").count()).toBe(0);
    await page.goto(`${running.site.address}?again#tour=1`);
    await page.getByTestId("tour").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("tour").waitFor({ state: "detached" });
    await page.context().close();
  });
});

describe("CronJob", () => {
  test("a night that comes twice, and runs under each policy", async () => {
    const { page, errors } = running;
    await open(running, "#a=cron-hello/autumn-night&t=200000&view=cronjob");
    const view = page.getByTestId("cron");
    await view.getByText("4 runs").first().waitFor();
    await view.getByText("clocks go back: 02:00–03:00 comes twice").first().waitFor();
    expect(await view.getByTestId("cron-table").getByText("02:30 CES").count()).toBeGreaterThan(0);
    await open(running, "#a=cron-hello/replace&t=280&view=cronjob");
    await view.getByText("5 runs · at most 2 at once · 4 cut short").waitFor();
    await view.getByText("3 runs", { exact: true }).waitFor();
    expect(errors).toEqual([]);
  });
  test("missed runs are explained", async () => {
    const { page } = running;
    await open(running, "#a=cron-hello/starting-deadline&t=200&view=cronjob");
    const table = page.getByTestId("cron-table");
    await table.getByText("missed").nth(1).waitFor();
    expect(await table.getByText("missed").count()).toBe(2);
    await table.getByRole("button", { name: /00:02/ }).click();
    await page.getByTestId("why").getByText("cronjob/hello", { exact: true }).waitFor();
  });
  test("a schedule is answered while it is typed", async () => {
    const { page, errors } = running;
    await open(running, "#a=cron-hello/base&t=0&view=cronjob");
    const next = page.getByTestId("cron-next");
    await page.getByTestId("cron-zone").fill("America/New_York");
    await page.getByTestId("cron-input").fill("30 2 * * *");
    await next.getByText("02:30 EST").first().waitFor();
    await page.getByTestId("cron-nights").getByText("02:30: no run.").waitFor();
    await page.getByTestId("cron-input").fill("61 * * * *");
    await page.getByTestId("cron-error").getByText("end of range (61) above maximum (59): 61").waitFor();
    await page.getByTestId("cron-input").fill("0 0 30 2 *");
    await page.getByTestId("cron-error").getByText("No run within five years").waitFor();
    await page.getByTestId("cron-input").fill("0 12 * * *");
    await page.getByTestId("cron-zone").fill("Europe/Nowhere");
    await page.getByTestId("cron-error").getByText("unknown time zone Europe/Nowhere").waitFor();
    expect(errors).toEqual([]);
  });
});
