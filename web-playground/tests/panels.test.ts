// The panels beside the timeline, for everyone: no violations that axe finds in either theme at either width, an order
// of focus that follows what is seen, and few words for those who listen.

import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { newPage, open, start, violations, type Running } from "./browser.ts";

let running: Running;
beforeAll(async () => {
  running = await start();
});
afterAll(() => running.stop());

const looks: [string, string, (page: Page) => Promise<unknown>][] = [
  ["the CronJob view of a night", "#a=cron-hello/autumn-night&t=100000&view=cronjob", (page) => page.getByTestId("cron-nights").locator("section").nth(1).waitFor()],
  ["the CronJob view with missed runs", "#a=cron-hello/forbid&t=260&view=cronjob", (page) => page.getByTestId("cron").getByText(/cut short/).waitFor()],
  ["a schedule that is refused", "#a=cron-hello/base&t=0&view=cronjob", async (page) => {
    await page.getByTestId("cron-input").fill("61 * * * *");
    await page.getByTestId("cron-error").waitFor();
  }],
  ["no CronJob", "#a=indexed-dns/base&t=1&view=cronjob", (page) => page.getByTestId("cron-next").waitFor()],
  ["events of two runs", "#a=pod-failure-policy-failjob/base&b=pod-failure-policy-failjob/policy-off&t=60&tab=events", async (page) => {
    await page.keyboard.press("4");
    await page.getByTestId("printed-b").waitFor();
  }],
  ["a tutorial's text", "#a=cron-hello/forbid&t=20", async (page) => {
    await page.keyboard.press("/");
    await page.getByTestId("about").waitFor();
  }],
];

/** Everything once; in the other theme and width what differs by colour or width. */
const places = [["light", 1440, looks.slice(1)], ["dark", 1440, looks.slice(0, 3)], ["light", 360, looks.slice(0, 2)], ["dark", 360, looks.slice(4)]] as const;

describe.each(places)("%s, %i pixels wide", (colorScheme, width, here) => {
  test.each(here)("%s", async (_, hash, act) => {
    const { page, errors } = await newPage(running.browser, { colorScheme, viewport: { width, height: 900 } });
    await page.addInitScript(() => localStorage.setItem("playground.toured", "yes"));
    await open({ ...running, page }, hash);
    await act(page);
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), "wider than the page").toBeLessThanOrEqual(0);
    expect(errors).toEqual([]);
    await page.context().close();
  });
});

test("the tour on a narrow page", async () => {
  const { page } = await newPage(running.browser, { viewport: { width: 360, height: 800 } });
  await page.goto(running.site.address);
  const tour = page.getByTestId("tour");
  for (let step = 1; step <= 6; step += 1) {
    await tour.getByText(`${step}/6`).waitFor();
    expect(await violations(page)).toEqual([]);
    if (step < 6) await tour.getByRole("button", { name: "Next" }).click();
  }
  await page.context().close();
});

test("focus goes through the panels from left to right and from top to bottom", async () => {
  const { page } = running;
  await open(running, "#a=pod-failure-policy-failjob/base&b=pod-failure-policy-failjob/policy-off&t=32.6");
  await page.getByTestId("printed-a").first().waitFor();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const met: string[] = [];
  for (let presses = 0; presses < 160; presses += 1) {
    await page.keyboard.press("Tab");
    const here = await page.evaluate(() => {
      const focused = document.activeElement;
      if (!focused || focused === document.body) return null;
      const box = focused.getBoundingClientRect();
      const panel = focused.closest("[data-testid=scenario], [data-testid=transport], .tl, [data-testid=break], [data-testid=kubectl], [data-testid=why], header.bar");
      return { panel: panel?.getAttribute("data-testid") ?? panel?.classList[0] ?? "", seen: box.width > 0 && box.height > 0 };
    });
    if (!here) break;
    expect(here.seen, "what has the focus can be seen").toBe(true);
    if (here.panel && met.at(-1) !== here.panel) met.push(here.panel);
  }
  expect(met).toEqual(["bar", "scenario", "transport", "card", "break", "kubectl", "why"]);
});

test("those who listen are told where the clock came to rest, once", async () => {
  const { page } = running;
  await open(running, "#a=pod-failure-policy-failjob/base&t=0");
  const live = page.getByTestId("live");
  await live.getByText(/^0:00, /).waitFor();
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  const said: string[] = [];
  await page.exposeFunction("heard", (text: string) => said.push(text));
  await live.evaluate((node) => new MutationObserver(() => (globalThis as unknown as { heard(text: string): void }).heard(node.textContent ?? "")).observe(node, { characterData: true, childList: true, subtree: true }));
  for (let steps = 0; steps < 4; steps += 1) await page.keyboard.press(".");
  await live.getByText(/decision \d+ of \d+\. A: Failed[^.]*$/).waitFor();
  expect(said).toHaveLength(1);
});
